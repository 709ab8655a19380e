//! Which indicators there are: one row each, from which their spec, their Python face and its stubs are made.

/// Hands the rows to a macro, which makes of them what it is for.
///
/// A row says in this order: what the indicator is, its type, its name and the tag of its state; `of` what it is fed
/// (`series`: one value at a time, the close of a bar; `bars`: high, low and close); `gives` its outputs by name, `one`
/// or `three`; its `parameters` with the kind of each (`period`, `width`, `seed`), the default if there is one, and its
/// words; those that Python takes by keyword alone; when it is `warm`; what else is to be known, and the `source`.
#[macro_export]
macro_rules! for_each_indicator {
    ($make:ident) => {
        $make! {
            "Mean of the last `period` values"
            Sma sma = 1 {
                of: series,
                gives: one(average),
                parameters: { period: period "Values averaged, from 1 to 1,000,000." },
                keywords: {},
                warm: "`period`",
                notes: "",
                source: "",
            }

            "Exponential average with the factor `2 / (period + 1)`"
            Ema ema = 2 {
                of: series,
                gives: one(average),
                parameters: { period: period "Decides the factor, from 1 to 1,000,000." },
                keywords: {
                    seed: seed = "sma" "Start from the mean of the first `period` values (TA-Lib), or from the first value\n    \
                                        (pandas `ewm(span=period, adjust=False)`)."
                },
                warm: "`period`, or 1 with seed \"first\"",
                notes: "",
                source: "",
            }

            "Wilder's relative strength index, 0 to 100"
            Rsi rsi = 3 {
                of: series,
                gives: one(strength),
                parameters: { period: period = 14 "Changes averaged, from 1 to 1,000,000." },
                keywords: {},
                warm: "`period + 1`",
                notes: "A series that never moved gives 0, as in TA-Lib.",
                source: "J. Welles Wilder, \"New Concepts in Technical Trading Systems\", 1978, section VI.",
            }

            "Wilder's average true range, in units of price"
            Atr atr = 4 {
                of: bars,
                gives: one(range),
                parameters: { period: period = 14 "True ranges averaged, from 1 to 1,000,000." },
                keywords: {},
                warm: "`period + 1`",
                notes: "",
                source: "J. Welles Wilder, \"New Concepts in Technical Trading Systems\", 1978, section III.",
            }

            "Bollinger bands: the mean of the last `period` values, and population sigmas around it"
            Bollinger bollinger = 5 {
                of: series,
                gives: three(upper, middle, lower),
                parameters: {
                    period: period = 20 "Values in the window, from 1 to 1,000,000.",
                    deviations: width = 2.0
                        "Distance of the bands from the middle, in population sigmas; finite and above 0."
                },
                keywords: {},
                warm: "`period`",
                notes: "The middle equals `sma` in every bit.",
                source: "J. Bollinger, \"Bollinger on Bollinger Bands\", 2001, chapter 7.",
            }

            "MACD: fast minus slow exponential average, its own average, and their difference"
            Macd macd = 6 {
                of: series,
                gives: three(line, signal, histogram),
                parameters: {
                    fast: period = 12 "Period of the fast average, from 1 to 1,000,000, below slow.",
                    slow: period = 26 "Period of the slow average, from 1 to 1,000,000.",
                    signal: period = 9 "Period of the average of the line, from 1 to 1,000,000."
                },
                keywords: {},
                warm: "`slow + signal - 1`",
                notes: "Both averages start on the same bar, as in TA-Lib.",
                source: "G. Appel, \"Technical Analysis: Power Tools for Active Investors\", 2005, chapter 8.",
            }

            "Keltner's channel: the exponential average of the close, and multiples of ATR around it"
            Keltner keltner = 7 {
                of: bars,
                gives: three(upper, middle, lower),
                parameters: {
                    period: period = 20 "Period of the average, from 1 to 1,000,000.",
                    atr_period: period = 10 "Period of the ATR, from 1 to 1,000,000.",
                    multiple: width = 2.0 "Distance of the bands from the middle, in ATRs; finite and above 0."
                },
                keywords: {},
                warm: "`max(period, atr_period + 1)`",
                notes: "",
                source: "stockcharts.com, \"Keltner Channels\" (the form of Linda Bradford Raschke).",
            }
        }
    };
}
