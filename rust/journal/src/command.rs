//! The bytes of an operator's command: its code, then what its name does not say.

use tradecore_types::{
    AccountId, ByLimit, CommandKind, Consent, Decimal, FlattenByLimit, InstrumentId, LimitChange, LimitName,
    LimitValue, OrderId, Permission, PersonName, Release, SafetyCause, SafetyPause, Scope, Stop, StrategyId,
    Within,
};

use crate::CodecError;
use crate::codes::{flag, unknown};
use crate::cursor::Cursor;

/// Decimals that a number can have.
const DECIMALS_MAX: u8 = 18;

/// Appends a command.
pub(crate) fn put_command(out: &mut Vec<u8>, kind: &CommandKind) {
    out.push(kind.code());
    match kind {
        CommandKind::SetLimit(change) => {
            put_scope(out, change.scope);
            out.push(change.limit.code());
            // The layout is the same with and without a value.
            let known = change.value.get();
            let value = known.unwrap_or(Decimal { mantissa: 0, decimals: 0 });
            out.push(u8::from(known.is_some()));
            out.extend_from_slice(&value.mantissa.to_le_bytes());
            out.push(value.decimals);
            // The code of the command says whether a person follows.
            if let Some(person) = change.person {
                put_person(out, person);
            }
        }
        CommandKind::Release(release) => {
            put_scope(out, release.scope);
            put_person(out, release.person);
        }
        CommandKind::Permit(permission) => {
            out.extend_from_slice(&permission.strategy.0.to_le_bytes());
            out.extend_from_slice(&permission.instrument.0.to_le_bytes());
            out.push(u8::from(permission.is_allowed));
            put_person(out, permission.person);
        }
        CommandKind::Within(within) => {
            out.push(within.stop.code());
            put_scope(out, within.scope);
        }
        CommandKind::Cancel(order) => out.extend_from_slice(&order.0.to_le_bytes()),
        CommandKind::Consent(consent) => {
            out.extend_from_slice(&consent.order_id.0.to_le_bytes());
            out.push(u8::from(consent.is_given));
            put_person(out, consent.person);
        }
        CommandKind::FlattenByLimit(FlattenByLimit { scope, by }) => {
            out.extend_from_slice(&by.distance_bps().to_le_bytes());
            out.extend_from_slice(&by.timeout_ns().to_le_bytes());
            out.push(u8::from(scope.is_some()));
            if let Some(scope) = scope {
                put_scope(out, *scope);
            }
        }
        CommandKind::SafetyPause(pause) => {
            out.push(pause.cause.code());
            out.extend_from_slice(&pause.value.to_le_bytes());
            out.extend_from_slice(&pause.bound.to_le_bytes());
        }
        plain => debug_assert!(CommandKind::PLAIN.contains(plain), "its name says everything"),
    }
}

/// Reads a command.
pub(crate) fn command(cursor: &mut Cursor<'_>) -> Result<CommandKind, CodecError> {
    match cursor.u8()? {
        code @ (6 | 8) => Ok(CommandKind::SetLimit(LimitChange {
            scope: scope(cursor)?,
            limit: limit(cursor)?,
            value: LimitValue::of(value(cursor)?),
            person: if code == 8 { Some(person(cursor)?) } else { None },
        })),
        9 => Ok(CommandKind::Permit(Permission {
            strategy: StrategyId(cursor.u16()?),
            instrument: InstrumentId(cursor.u32()?),
            is_allowed: flag("is_allowed", cursor.u8()?)?,
            person: person(cursor)?,
        })),
        11 => {
            let code = cursor.u8()?;
            let stop = Stop::from_code(code).ok_or_else(|| unknown("stop", code))?;
            Ok(CommandKind::Within(Within { stop, scope: scope(cursor)? }))
        }
        12 => Ok(CommandKind::Cancel(OrderId(cursor.u64()?))),
        13 => Ok(CommandKind::Consent(Consent {
            order_id: OrderId(cursor.u64()?),
            is_given: flag("is_given", cursor.u8()?)?,
            person: person(cursor)?,
        })),
        14 => {
            let (distance_bps, timeout_ns) = (cursor.u32()?, cursor.i64()?);
            let by = ByLimit::new(distance_bps, timeout_ns)
                .map_err(|_| CodecError::Field { field: "by_limit", value: u64::from(distance_bps) })?;
            let scope = if flag("scope", cursor.u8()?)? { Some(scope(cursor)?) } else { None };
            Ok(CommandKind::FlattenByLimit(FlattenByLimit { scope, by }))
        }
        15 => {
            let code = cursor.u8()?;
            let cause = SafetyCause::from_code(code).ok_or_else(|| unknown("cause", code))?;
            Ok(CommandKind::SafetyPause(SafetyPause { cause, value: cursor.i64()?, bound: cursor.i64()? }))
        }
        7 => Ok(CommandKind::Release(Release { scope: scope(cursor)?, person: person(cursor)? })),
        code => CommandKind::from_code(code).ok_or_else(|| unknown("command", code)),
    }
}

fn put_person(out: &mut Vec<u8>, person: PersonName) {
    let name = person.as_str().as_bytes();
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name);
}

pub(crate) fn put_scope(out: &mut Vec<u8>, scope: Scope) {
    let (code, id) = match scope {
        Scope::Account(account) => (1, u32::from(account.0)),
        Scope::Strategy(strategy) => (2, u32::from(strategy.0)),
        Scope::Instrument(instrument) => (3, instrument.0),
        Scope::Portfolio => (4, 0),
    };
    out.push(code);
    out.extend_from_slice(&id.to_le_bytes());
}

pub(crate) fn scope(cursor: &mut Cursor<'_>) -> Result<Scope, CodecError> {
    let (code, id) = (cursor.u8()?, cursor.u32()?);
    if let (1, Ok(account)) = (code, u8::try_from(id)) {
        return Ok(Scope::Account(AccountId(account)));
    }
    match (code, u16::try_from(id)) {
        (2, Ok(id)) => Ok(Scope::Strategy(StrategyId(id))),
        (3, _) => Ok(Scope::Instrument(InstrumentId(id))),
        (4, Ok(0)) => Ok(Scope::Portfolio),
        _ => Err(CodecError::Field { field: "scope", value: u64::from(id) }),
    }
}

fn limit(cursor: &mut Cursor<'_>) -> Result<LimitName, CodecError> {
    let code = cursor.u8()?;
    LimitName::from_code(code).ok_or_else(|| unknown("limit", code))
}

fn value(cursor: &mut Cursor<'_>) -> Result<Option<Decimal>, CodecError> {
    let is_set = flag("value", cursor.u8()?)?;
    let value = Decimal { mantissa: cursor.i64()?, decimals: cursor.u8()? };
    match value {
        Decimal { decimals, .. } if decimals > DECIMALS_MAX => Err(unknown("decimals", decimals)),
        _ if is_set => Ok(Some(value)),
        Decimal { mantissa: 0, decimals: 0 } => Ok(None),
        _ => Err(unknown("value", 0)),
    }
}

fn person(cursor: &mut Cursor<'_>) -> Result<PersonName, CodecError> {
    let length = cursor.u8()?;
    let bytes = cursor.take(usize::from(length))?;
    let name = std::str::from_utf8(bytes).map_err(|_| unknown("person", length))?;
    PersonName::new(name).map_err(|_| unknown("person", length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A change of a limit as it was written before anybody was asked for a name.
    const WITHOUT_PERSON: [u8; 17] = [6, 2, 1, 0, 0, 0, 9, 1, 5, 0, 0, 0, 0, 0, 0, 0, 1];

    #[test]
    fn a_change_of_a_limit_without_a_person_reads_and_writes_as_it_always_did() {
        let known = command(&mut Cursor::new(&WITHOUT_PERSON)).unwrap();
        let value = LimitValue::of(Some(Decimal { mantissa: 5, decimals: 1 }));
        let scope = Scope::Strategy(StrategyId(1));
        let change = LimitChange { scope, limit: LimitName::Gross, value, person: None };
        assert_eq!(known, CommandKind::SetLimit(change));
        let mut bytes = Vec::new();
        put_command(&mut bytes, &known);
        assert_eq!(bytes, WITHOUT_PERSON);
    }

    /// One command of each code, with the bytes that it has for ever.
    fn known() -> Vec<(CommandKind, Vec<u8>)> {
        let ada = PersonName::new("Ada").unwrap();
        let permission = Permission {
            strategy: StrategyId(1),
            instrument: InstrumentId(2),
            is_allowed: true,
            person: ada,
        };
        let within = |stop, scope| CommandKind::Within(Within { stop, scope });
        let consent = Consent { order_id: OrderId(258), is_given: false, person: ada };
        let by = ByLimit::new(258, 3).unwrap();
        let by_limit = |scope| CommandKind::FlattenByLimit(FlattenByLimit { scope, by });
        let plain = CommandKind::PLAIN.into_iter().zip([1, 2, 3, 4, 5, 10].map(|code| vec![code]));
        let others = [
            (
                CommandKind::Release(Release { scope: Scope::Portfolio, person: ada }),
                "7 4 0 0 0 0 3 65 100 97",
            ),
            (CommandKind::Permit(permission), "9 1 0 2 0 0 0 1 3 65 100 97"),
            (within(Stop::Pause, Scope::Strategy(StrategyId(3))), "11 1 2 3 0 0 0"),
            (within(Stop::Resume, Scope::Account(AccountId(1))), "11 2 1 1 0 0 0"),
            (within(Stop::Flatten, Scope::Instrument(InstrumentId(256))), "11 3 3 0 1 0 0"),
            (within(Stop::Kill, Scope::Strategy(StrategyId(0))), "11 4 2 0 0 0 0"),
            (within(Stop::ReleaseKill, Scope::Strategy(StrategyId(0))), "11 5 2 0 0 0 0"),
            (within(Stop::CancelAll, Scope::Portfolio), "11 10 4 0 0 0 0"),
            (CommandKind::Cancel(OrderId(257)), "12 1 1 0 0 0 0 0 0"),
            (CommandKind::Consent(consent), "13 2 1 0 0 0 0 0 0 0 3 65 100 97"),
            (
                CommandKind::SafetyPause(SafetyPause { cause: SafetyCause::ClockJump, value: -2, bound: 1 }),
                "15 3 254 255 255 255 255 255 255 255 1 0 0 0 0 0 0 0",
            ),
            (by_limit(None), "14 2 1 0 0 3 0 0 0 0 0 0 0 0"),
            (by_limit(Some(Scope::Strategy(StrategyId(5)))), "14 2 1 0 0 3 0 0 0 0 0 0 0 1 2 5 0 0 0"),
        ];
        let bytes = |text: &str| text.split(' ').map(|byte| byte.parse().unwrap()).collect();
        plain.chain(others.map(|(kind, text)| (kind, bytes(text)))).collect()
    }

    #[test]
    fn each_command_has_the_bytes_that_it_has_for_ever_and_no_part_of_them_is_one() {
        for (kind, bytes) in known() {
            let mut written = Vec::new();
            put_command(&mut written, &kind);
            assert_eq!(written, bytes, "{kind:?}");
            assert_eq!(command(&mut Cursor::new(&bytes)), Ok(kind));
            for length in 0..bytes.len() {
                assert!(command(&mut Cursor::new(&bytes[..length])).is_err(), "{kind:?} of {length} bytes");
            }
        }
    }

    proptest! {
        /// What is read is written as it was: no two texts are one command, and bytes of others are refused in order.
        #[test]
        fn any_bytes_are_a_command_that_is_written_so_or_none(
            code in 0..17_u8,
            tail in prop::collection::vec(prop_oneof![0..14_u8, any::<u8>()], 0..40),
        ) {
            let bytes = [vec![code], tail].concat();
            let mut cursor = Cursor::new(&bytes);
            if let Ok(kind) = command(&mut cursor) {
                let mut written = Vec::new();
                put_command(&mut written, &kind);
                prop_assert!(bytes.starts_with(&written), "{:?}: {:?} of {:?}", kind, written, bytes);
            }
        }
    }
}
