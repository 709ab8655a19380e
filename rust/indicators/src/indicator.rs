//! Any indicator behind one face, for an engine that is told at run time which ones to keep.

use crate::Candle;

/// Feeds an indicator what it reads of a bar.
macro_rules! fed {
    (series, $indicator:ident, $candle:ident) => {
        _ = $indicator.update($candle.close)
    };
    (bars, $indicator:ident, $candle:ident) => {
        _ = $indicator.update($candle.high, $candle.low, $candle.close)
    };
}

/// Returns the values of an indicator in three places.
macro_rules! in_three {
    (one, $indicator:ident) => {
        [$indicator.value(), f64::NAN, f64::NAN]
    };
    (three, $indicator:ident) => {
        $indicator.values()
    };
}

macro_rules! indicators {
    ($(
        $about:literal $class:ident $name:ident = $tag:literal {
            of: $of:ident,
            gives: $gives:ident $outputs:tt,
            parameters: $parameters:tt,
            keywords: $keywords:tt,
            warm: $warm:literal,
            notes: $notes:literal,
            source: $source:literal,
        }
    )+) => {
        /// An indicator of any kind, fed bar by bar. Built by [`crate::IndicatorSpec::build`].
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        pub enum Indicator {
            $(
                #[doc = concat!($about, ".")]
                $class(crate::$class),
            )+
        }

        impl Indicator {
            /// Takes a bar. One with an input that is not usable leaves everything as it was.
            #[inline]
            pub fn update(&mut self, candle: &Candle) {
                match self {
                    $(Self::$class(indicator) => fed!($of, indicator, candle),)+
                }
            }

            /// Returns the values after the last usable bar: `NaN` until warm, and in places it has no output for.
            #[inline]
            #[must_use]
            pub fn values(&self) -> [f64; 3] {
                match self {
                    $(Self::$class(indicator) => in_three!($gives, indicator),)+
                }
            }

            /// Says whether there are values.
            #[inline]
            #[must_use]
            pub fn is_warm(&self) -> bool {
                match self {
                    $(Self::$class(indicator) => indicator.is_warm(),)+
                }
            }

            /// Counts the usable bars up to and including the first values.
            #[must_use]
            pub fn warm_up_bars(&self) -> usize {
                match self {
                    $(Self::$class(indicator) => indicator.warm_up_bars(),)+
                }
            }

            /// Appends the state as canonical bytes, little endian: equal states give equal bytes on every machine.
            pub fn write_state(&self, bytes: &mut Vec<u8>) {
                match self {
                    $(Self::$class(indicator) => {
                        bytes.push($tag);
                        indicator.write_state(bytes);
                    })+
                }
            }
        }
    };
}

crate::for_each_indicator!(indicators);
