//! Cash that was changed from one currency into another, outside of any instrument.

use crate::balance::{check_currency, check_reason};
use crate::{Balance, Money, ValueError, share_of};

/// Atto units in a unit.
const UNIT: i128 = 10i128.pow(18);

/// Cash that was changed from one currency into another. A venue, a bank or its owner did it: it is no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashConversion {
    /// What was given, above 0.
    pub given: Balance,
    /// What was received for it in another currency, above 0; the fee is apart.
    pub received: Balance,
    /// What was received for a unit of what was given, in atto units.
    pub rate: i128,
    /// What it cost, in any currency of the account; a rebate is below 0.
    pub fee: Balance,
    /// Why it was done, in words that people will read.
    pub reason: String,
}

/// What is known of the other side of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherSide {
    /// How much was received; the rate follows from it, rounded half away from zero to one atto unit.
    Amount(Money),
    /// What was received for a unit, in atto units; the amount follows from it, rounded alike.
    Rate(i128),
}

impl CashConversion {
    /// Makes a conversion into a currency, of which one of amount and rate is stated.
    ///
    /// # Errors
    ///
    /// [`ValueError`] as [`CashConversion::check`] would say it.
    pub fn new(
        given: Balance,
        (into, stated): (String, OtherSide),
        fee: Balance,
        reason: String,
    ) -> Result<Self, ValueError> {
        check_amount("amount", given.amount)?;
        if let OtherSide::Rate(rate) = stated {
            check_amount("rate", Money(rate))?;
        }
        let (amount, rate) = match stated {
            OtherSide::Amount(amount) => (Some(amount), share_of(amount.0, UNIT, given.amount.0)),
            OtherSide::Rate(rate) => (share_of(given.amount.0, rate, UNIT).map(Money), Some(rate)),
        };
        let rule = "must give a rate, and an amount, that fit 128 bits of money";
        let (Some(amount), Some(rate)) = (amount, rate) else {
            return Err(ValueError::new("amount", given.amount, rule));
        };
        let received = Balance { currency: into, amount };
        let said = Self { given, received, rate, fee, reason };
        said.check()?;
        Ok(said)
    }

    /// Checks what a conversion says by itself.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a side or the rate is not above 0, both sides are one currency, the rate is not that of the
    /// amounts, or a currency or the reason is no text.
    pub fn check(&self) -> Result<(), ValueError> {
        for side in [&self.given, &self.received, &self.fee] {
            check_currency(&side.currency)?;
        }
        if self.given.currency == self.received.currency {
            return Err(ValueError::new(
                "into",
                &self.received.currency,
                "must be another currency than what was given",
            ));
        }
        check_amount("amount", self.given.amount)?;
        check_amount("received", self.received.amount)?;
        if self.rate <= 0 {
            return Err(ValueError::new("rate", self.rate, "must be above 0, in units of 10^-18"));
        }
        let by_amount = share_of(self.received.amount.0, UNIT, self.given.amount.0);
        let by_rate = share_of(self.given.amount.0, self.rate, UNIT);
        if by_amount != Some(self.rate) && by_rate != Some(self.received.amount.0) {
            let rule = "must be what was received for a unit of what was given";
            return Err(ValueError::new("rate", self.rate, rule));
        }
        check_reason(&self.reason)
    }
}

/// Checks that there is an amount.
fn check_amount(field: &'static str, amount: Money) -> Result<(), ValueError> {
    if amount > Money::ZERO { Ok(()) } else { Err(ValueError::new(field, amount, "must be above 0")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(currency: &str, amount: i128) -> Balance {
        Balance { currency: currency.into(), amount: Money(amount) }
    }

    fn made(given: i128, stated: OtherSide) -> Result<CashConversion, ValueError> {
        CashConversion::new(of("BTC", given), ("USD".into(), stated), of("BNB", 0), "dust".into())
    }

    #[test]
    fn the_side_that_is_not_stated_follows_from_the_other() {
        let by_rate = made(UNIT / 2, OtherSide::Rate(60_000 * UNIT)).unwrap();
        assert_eq!(by_rate.received, of("USD", 30_000 * UNIT));
        assert_eq!(made(UNIT / 2, OtherSide::Amount(Money(30_000 * UNIT))), Ok(by_rate));
        assert_eq!(
            made(3, OtherSide::Rate(UNIT / 2)).unwrap().received,
            of("USD", 2),
            "a half is rounded up"
        );
    }

    #[test]
    fn what_a_conversion_cannot_be_is_refused_by_field() {
        let refused = |given, stated| made(given, stated).unwrap_err().field;
        assert_eq!(refused(0, OtherSide::Rate(1)), "amount");
        assert_eq!(refused(-1, OtherSide::Rate(1)), "amount");
        assert_eq!(refused(1, OtherSide::Rate(1)), "received");
        assert_eq!(refused(1, OtherSide::Rate(0)), "rate");
        assert_eq!(refused(1, OtherSide::Amount(Money::ZERO)), "received");
        assert_eq!(refused(i128::MAX, OtherSide::Amount(Money(1))), "rate");
        assert_eq!(refused(i128::MAX, OtherSide::Rate(2 * UNIT)), "amount");
        let good = made(UNIT, OtherSide::Rate(UNIT)).unwrap();
        for (bad, field) in [
            (CashConversion { received: of("BTC", UNIT), ..good.clone() }, "into"),
            (CashConversion { received: of("USD", UNIT + 1), ..good.clone() }, "rate"),
            (CashConversion { rate: -UNIT, ..good.clone() }, "rate"),
            (CashConversion { reason: " ".into(), ..good.clone() }, "reason"),
            (CashConversion { fee: of("", 1), ..good }, "currency"),
        ] {
            assert_eq!(bad.check().unwrap_err().field, field);
        }
    }

    proptest! {
        /// Whatever is stated, what is made of it is right by its own check, or an error and no panic.
        #[test]
        fn what_is_made_is_right(given in any::<i128>(), stated in any::<i128>(), is_rate in any::<bool>()) {
            let stated = if is_rate { OtherSide::Rate(stated) } else { OtherSide::Amount(Money(stated)) };
            if let Ok(conversion) = made(given, stated) {
                prop_assert_eq!(conversion.check(), Ok(()));
            }
        }
    }
}
