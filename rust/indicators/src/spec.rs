//! Which indicator, with which parameters: plain values, made from the rows of the table.

use tradecore_types::ValueError;

use crate::Indicator;

/// A parameter of an indicator, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterInfo {
    /// The word by which a call names it.
    pub name: &'static str,
    /// What kind of value it takes: `period`, `width` or `seed`.
    pub kind: &'static str,
    /// What it is when nobody says, as Python writes it; `None` where it must be given.
    pub default: Option<&'static str>,
    /// What it means, and its bounds.
    pub about: &'static str,
    /// Whether Python takes it by keyword alone.
    pub is_keyword: bool,
}

/// An indicator in words: what documents, classes and messages are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndicatorInfo {
    /// Its name in lower case: of the function over arrays and of the method of a strategy's context.
    pub name: &'static str,
    /// Name of its type, and of the Python class that is fed bar by bar.
    pub class: &'static str,
    /// One line that says what it measures.
    pub about: &'static str,
    /// What it is fed: `close`, or `high`, `low` and `close`.
    pub inputs: &'static [&'static str],
    /// Names of the values it has at every bar, in their order.
    pub outputs: &'static [&'static str],
    /// Its parameters in the order in which a call without names gives them.
    pub parameters: &'static [ParameterInfo],
    /// Usable bars up to and including the first values.
    pub warm_up: &'static str,
    /// What else is to be known.
    pub notes: &'static str,
    /// Who described it, and where.
    pub source: &'static str,
}

/// Types of parameters by their kind.
pub mod parameter {
    /// A number of bars or values.
    pub mod period {
        /// A number of bars, from 1 to [`crate::PERIOD_MAX`].
        pub type Value = u32;
    }
    /// A distance, counted in deviations or ranges.
    pub mod width {
        /// A number that is finite and above 0.
        pub type Value = f64;
    }
    /// What a recursive average starts from.
    pub mod seed {
        /// The mean of the first values, or the first.
        pub type Value = crate::Seed;
    }
}

/// Returns what stands in a row, or nothing.
macro_rules! given {
    () => {
        None
    };
    ($default:tt) => {
        Some(stringify!($default))
    };
}

/// Returns the names of what an indicator is fed.
macro_rules! inputs {
    (series) => {
        &["close"]
    };
    (bars) => {
        &["high", "low", "close"]
    };
}

macro_rules! specs {
    ($(
        $about:literal $class:ident $name:ident = $tag:literal {
            of: $of:ident,
            gives: $gives:ident($($output:ident),+),
            parameters: { $($parameter:ident: $kind:ident $(= $default:tt)? $words:literal),+ },
            keywords: { $($keyword:ident: $keyword_kind:ident = $keyword_default:tt $keyword_words:literal),* },
            warm: $warm:literal,
            notes: $notes:literal,
            source: $source:literal,
        }
    )+) => {
        /// An indicator and its parameters, as a strategy asks for it.
        #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum IndicatorSpec {
            $(
                #[doc = concat!($about, ".")]
                $class {
                    $( #[doc = $words] $parameter: parameter::$kind::Value, )+
                    $( #[doc = $keyword_words] $keyword: parameter::$keyword_kind::Value, )*
                },
            )+
        }

        /// Every indicator in words, in the order of the table.
        pub const INDICATORS: &[IndicatorInfo] = &[$(
            IndicatorInfo {
                name: stringify!($name),
                class: stringify!($class),
                about: $about,
                inputs: inputs!($of),
                outputs: &[$(stringify!($output)),+],
                parameters: &[
                    $(ParameterInfo {
                        name: stringify!($parameter),
                        kind: stringify!($kind),
                        default: given!($($default)?),
                        about: $words,
                        is_keyword: false,
                    },)+
                    $(ParameterInfo {
                        name: stringify!($keyword),
                        kind: stringify!($keyword_kind),
                        default: given!($keyword_default),
                        about: $keyword_words,
                        is_keyword: true,
                    },)*
                ],
                warm_up: $warm,
                notes: $notes,
                source: $source,
            },
        )+];

        impl IndicatorSpec {
            /// Builds the indicator, cold.
            ///
            /// # Errors
            ///
            /// [`ValueError`] naming the parameter and the rule it breaks.
            pub fn build(self) -> Result<Indicator, ValueError> {
                Ok(match self {
                    $(Self::$class { $($parameter,)+ $($keyword,)* } => {
                        Indicator::$class(crate::$class::new($($parameter,)+ $($keyword,)*)?)
                    })+
                })
            }

            /// Checks the parameters; builds the indicator to do so, since that is where the rules are.
            ///
            /// # Errors
            ///
            /// [`ValueError`] naming the parameter and the rule it breaks.
            pub fn validate(&self) -> Result<(), ValueError> {
                self.build().map(|_| ())
            }

            /// Counts the values it gives per bar.
            #[must_use]
            pub const fn outputs(&self) -> usize {
                match self {
                    $(Self::$class { .. } => [$(stringify!($output)),+].len(),)+
                }
            }

            /// Returns its name in lower case.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$class { .. } => stringify!($name),)+
                }
            }
        }
    };
}

crate::for_each_indicator!(specs);
