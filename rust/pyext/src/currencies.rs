//! Reads the currencies of an account from an `EngineSpec`, and shows their balances.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use tradecore_kernel::{Conversion, CurrencyConfig, Kernel};
use tradecore_types::{AccountId, CashFlowKind, Currencies, CurrencyId, Decimal, InstrumentId, Money, Rate};

use crate::amounts::money;
use crate::errors::invalid_value;
use crate::problems::Problems;

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(currency_names, module)?)
}

/// Names of the balances of an engine, by their numbers: `account.currency` first, the others by the alphabet, then
/// those of each further account in turn, with its name before them (`kraken:BTC`).
#[pyfunction]
pub fn currency_names(spec: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    Ok(CurrencyTable::read(spec)?.purses.into_iter().map(|purse| purse.name).collect())
}

/// One currency at one venue account.
struct PurseName {
    account: AccountId,
    currency: String,
    /// As people and the journal have it.
    name: String,
}

/// What accounts are to have of which currency, by number.
pub struct CurrencyTable {
    purses: Vec<PurseName>,
    /// Names of the accounts, by number.
    accounts: Vec<String>,
    /// The currency of each, in which its instruments are settled unless they say otherwise.
    owns: Vec<String>,
}

impl CurrencyTable {
    /// Reads the names.
    pub fn read(spec: &Bound<'_, PyAny>) -> PyResult<Self> {
        let first = spec.getattr("account")?;
        let own: String = first.getattr("currency")?.extract()?;
        let (mut accounts, mut owns) = (vec![first.getattr("name")?.extract::<String>()?], vec![own.clone()]);
        let others = others_of(spec)?;
        for other in &others {
            accounts.push(other.getattr("name")?.extract()?);
            owns.push(other.getattr("currency")?.extract::<Option<String>>()?.unwrap_or_else(|| own.clone()));
        }
        let mut table = Self { purses: Vec::new(), accounts, owns };
        let fees = spec.getattr("fees")?;
        let mut named = in_cash(&first)?;
        if others.is_empty() {
            named.extend(first.getattr("conversions")?.cast::<PyDict>()?.keys().extract::<Vec<String>>()?);
        }
        named.extend(fees.getattr("currency")?.extract::<Option<String>>()?);
        table.add(spec, 0, named)?;
        for (index, other) in others.iter().enumerate() {
            let mut named = in_cash(other)?;
            named.extend(own_or(other, "fees", &fees)?.getattr("currency")?.extract::<Option<String>>()?);
            table.add(spec, index + 1, named)?;
        }
        Ok(table)
    }

    /// Adds the balances of an account: its own currency, then those that are named and those of its instruments.
    fn add(&mut self, spec: &Bound<'_, PyAny>, index: usize, mut named: Vec<String>) -> PyResult<()> {
        for instrument in spec.getattr("instruments")?.try_iter()? {
            let instrument = instrument?;
            for field in ["settlement", "base"] {
                let of_it = instrument.getattr(field)?.extract::<Option<String>>()?;
                named.extend(of_it.filter(|_| self.index_of(&instrument).is_ok_and(|at| at == index)));
            }
        }
        let own = self.owns.get(index).cloned().unwrap_or_default();
        named.retain(|name| *name != own);
        named.sort_unstable();
        named.dedup();
        let account = AccountId(u8::try_from(index).unwrap_or(u8::MAX));
        for currency in std::iter::once(own).chain(named) {
            let name = match self.accounts.get(index).filter(|_| index != 0) {
                Some(account) => format!("{account}:{currency}"),
                None => currency.clone(),
            };
            self.purses.push(PurseName { account, currency, name });
        }
        Ok(())
    }

    /// Returns the number of the account that an instrument names; the first where it names none.
    fn index_of(&self, instrument: &Bound<'_, PyAny>) -> PyResult<usize> {
        let Some(name) = instrument.getattr("account")?.extract::<Option<String>>()? else { return Ok(0) };
        self.accounts.iter().position(|known| *known == name).ok_or_else(|| {
            let rule = format!("must be one of the accounts: {}", self.accounts.join(", "));
            invalid_value("account", &name, &rule)
        })
    }

    /// Returns the currency of an account that has a name; `None` where it has none of it.
    fn of_account(&self, account: AccountId, currency: &str) -> Option<CurrencyId> {
        let found =
            self.purses.iter().position(|purse| purse.account == account && purse.currency == currency);
        found.and_then(|index| u8::try_from(index).ok()).map(CurrencyId)
    }

    /// Returns the currencies that trading an instrument moves, and the account that trades it.
    pub fn of_instrument(&self, instrument: &Bound<'_, PyAny>) -> PyResult<Currencies> {
        let index = self.index_of(instrument)?;
        let account = AccountId(u8::try_from(index).unwrap_or(u8::MAX));
        let named = |field: &str| -> PyResult<Option<CurrencyId>> {
            let name = instrument.getattr(field)?.extract::<Option<String>>()?;
            Ok(name.and_then(|name| self.of_account(account, &name)))
        };
        let own = self.owns.get(index).and_then(|own| self.of_account(account, own));
        let settlement = named("settlement")?.or(own).unwrap_or_default();
        Ok(Currencies { settlement, base: named("base")?, account })
    }

    /// Returns the currency in which the simulated venue of an account takes fees.
    pub fn of_fees(&self, account: AccountId, fees: &Bound<'_, PyAny>) -> PyResult<Option<CurrencyId>> {
        let name = fees.getattr("currency")?.extract::<Option<String>>()?;
        Ok(name.and_then(|name| self.of_account(account, &name)))
    }

    /// Reads the cash in the reporting currency.
    pub fn own_cash(&self, account: &Bound<'_, PyAny>) -> PyResult<Money> {
        let own = self.own(0);
        cash_in(account, own, own)
    }

    fn own(&self, index: usize) -> &str {
        self.owns.get(index).map_or("", String::as_str)
    }

    /// Reads every other balance: its cash and what a unit of it is worth.
    pub fn others(
        &self,
        spec: &Bound<'_, PyAny>,
        symbols: &[String],
        problems: &mut Problems,
    ) -> PyResult<Vec<CurrencyConfig>> {
        let (first, accounts) = (spec.getattr("account")?, others_of(spec)?);
        let own = self.own(0);
        let conversions = first.getattr("conversions")?;
        let conversions = conversions.cast::<PyDict>()?;
        if conversions.contains(own)? {
            let rule = "is the currency in which the account reports, and needs no conversion";
            problems.take::<()>("account.conversions", Err(invalid_value(own, own, rule)))?;
        }
        let mut others = Vec::new();
        for PurseName { account, currency, name } in self.purses.iter().skip(1) {
            let at = account.index().checked_sub(1);
            let owner = at.and_then(|at| accounts.get(at)).unwrap_or(&first);
            let path = at.map_or_else(|| "account".to_owned(), |at| format!("accounts[{at}]"));
            let cash = problems.take(&path, cash_in(owner, currency, self.own(account.index())))?;
            let way = if currency == own {
                Ok(Conversion::Constant(Decimal { mantissa: 1, decimals: 0 }))
            } else if let Some(way) = conversions.get_item(currency)? {
                conversion(currency, &way.extract::<String>()?, symbols)
            } else {
                let rule = format!(
                    "must say what a unit is worth in {own}: the symbol of an instrument with that price, or a \
                     constant such as \"1.08\""
                );
                Err(invalid_value(currency, "none", &rule))
            };
            let way = problems.take("account.conversions", way)?;
            if let (Some(cash), Some(conversion)) = (cash, way) {
                others.push(CurrencyConfig { account: *account, name: name.clone(), cash, conversion });
            }
        }
        Ok(others)
    }
}

/// Returns the accounts of a specification beside the first.
pub fn others_of<'py>(spec: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    spec.getattr("accounts")?.try_iter()?.collect()
}

/// Returns a table of an account, or that of the first where it has none.
pub fn own_or<'py>(
    account: &Bound<'py, PyAny>,
    table: &str,
    first: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let own = account.getattr(table)?;
    Ok(if own.is_none() { first.clone() } else { own })
}

/// Lists the currencies that the cash of an account names.
fn in_cash(account: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    match account.getattr("cash")?.cast::<PyDict>() {
        Ok(cash) => cash.keys().extract(),
        Err(_) => Ok(Vec::new()),
    }
}

/// Reads the cash of a currency: text is cash of the account's own one, a table has each.
fn cash_in(account: &Bound<'_, PyAny>, currency: &str, own: &str) -> PyResult<Money> {
    let cash = account.getattr("cash")?;
    if let Ok(table) = cash.cast::<PyDict>() {
        return match table.get_item(currency)? {
            Some(amount) => money("cash", &amount.extract::<String>()?),
            None => Ok(Money::ZERO),
        };
    }
    if own == currency {
        money("cash", &cash.cast::<PyString>()?.extract::<String>()?)
    } else {
        Ok(Money::ZERO)
    }
}

/// Reads a conversion: a symbol, or a constant.
fn conversion(name: &str, text: &str, symbols: &[String]) -> PyResult<Conversion> {
    if let Some(index) = symbols.iter().position(|symbol| symbol == text) {
        return Ok(Conversion::Mark(InstrumentId(u32::try_from(index).unwrap_or(u32::MAX))));
    }
    match Decimal::parse("conversions", text) {
        Ok(price) if price.mantissa > 0 => Ok(Conversion::Constant(price)),
        _ => {
            let rule = format!(
                "must be the symbol of an instrument ({}), or a constant above 0 such as \"1.08\"",
                symbols.join(", ")
            );
            Err(invalid_value(name, text, &rule))
        }
    }
}

/// Balances, one for each currency by number, in atto units (1e-18): name, number of the account, balance, cash, realised,
/// fees, what conversions brought, price in the reporting currency (None before there is one), worth in it, and what was
/// received by kind.
pub fn balances<'py>(py: Python<'py>, kernel: &Kernel) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let ledger = kernel.ledger();
    let row = |of: tradecore_ledger::CurrencyBalance| {
        let fields = PyDict::new(py);
        fields.set_item("currency", kernel.currency_name(of.currency).unwrap_or(""))?;
        fields.set_item("account", ledger.account_with(of.currency).0)?;
        fields.set_item("balance", of.balance.0)?;
        fields.set_item("cash", of.cash.0)?;
        fields.set_item("realised", of.realised.0)?;
        fields.set_item("fees", of.fees.0)?;
        fields.set_item("converted", of.converted.0)?;
        let price = match of.rate {
            Rate::One => Some(10i128.pow(18)),
            Rate::Of(worth) => Some(worth),
            Rate::Missing => None,
        };
        fields.set_item("price", price)?;
        fields.set_item("worth", of.rate.worth(of.balance).map(|worth| worth.0))?;
        for kind in CashFlowKind::ALL {
            fields.set_item(kind.name(), ledger.received_in(of.currency, kind).0)?;
        }
        Ok(fields)
    };
    ledger.balances().map(row).collect()
}
