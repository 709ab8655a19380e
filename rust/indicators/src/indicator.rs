//! Any indicator behind one face, for an engine that is told at run time which ones to keep.

use crate::{Atr, Bollinger, Candle, Ema, Keltner, Macd, Rsi, Sma};

/// An indicator of any kind, fed bar by bar. Built by [`crate::IndicatorSpec::build`].
#[derive(Clone, Debug)]
pub enum Indicator {
    /// Simple moving average of the close.
    Sma(Sma),
    /// Exponential moving average of the close.
    Ema(Ema),
    /// Relative strength index of the close.
    Rsi(Rsi),
    /// Average true range.
    Atr(Atr),
    /// Bollinger bands of the close: upper, middle, lower.
    Bollinger(Bollinger),
    /// MACD of the close: line, signal, histogram.
    Macd(Macd),
    /// Keltner channel: upper, middle, lower.
    Keltner(Keltner),
}

impl Indicator {
    /// Takes a bar. One with an input that is not usable leaves everything as it was.
    #[inline]
    pub fn update(&mut self, candle: &Candle) {
        let &Candle { high, low, close, .. } = candle;
        match self {
            Self::Sma(sma) => _ = sma.update(close),
            Self::Ema(ema) => _ = ema.update(close),
            Self::Rsi(rsi) => _ = rsi.update(close),
            Self::Atr(atr) => _ = atr.update(high, low, close),
            Self::Bollinger(bollinger) => _ = bollinger.update(close),
            Self::Macd(macd) => _ = macd.update(close),
            Self::Keltner(keltner) => _ = keltner.update(high, low, close),
        }
    }

    /// Returns the values after the last usable bar: `NaN` until warm, and in places it has no output for.
    #[inline]
    #[must_use]
    pub fn values(&self) -> [f64; 3] {
        match self {
            Self::Sma(sma) => [sma.value(), f64::NAN, f64::NAN],
            Self::Ema(ema) => [ema.value(), f64::NAN, f64::NAN],
            Self::Rsi(rsi) => [rsi.value(), f64::NAN, f64::NAN],
            Self::Atr(atr) => [atr.value(), f64::NAN, f64::NAN],
            Self::Bollinger(bollinger) => bollinger.values(),
            Self::Macd(macd) => macd.values(),
            Self::Keltner(keltner) => keltner.values(),
        }
    }

    /// Says whether there are values.
    #[inline]
    #[must_use]
    pub fn is_warm(&self) -> bool {
        match self {
            Self::Sma(sma) => sma.is_warm(),
            Self::Ema(ema) => ema.is_warm(),
            Self::Rsi(rsi) => rsi.is_warm(),
            Self::Atr(atr) => atr.is_warm(),
            Self::Bollinger(bollinger) => bollinger.is_warm(),
            Self::Macd(macd) => macd.is_warm(),
            Self::Keltner(keltner) => keltner.is_warm(),
        }
    }

    /// Counts the usable bars up to and including the first values.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        match self {
            Self::Sma(sma) => sma.warm_up_bars(),
            Self::Ema(ema) => ema.warm_up_bars(),
            Self::Rsi(rsi) => rsi.warm_up_bars(),
            Self::Atr(atr) => atr.warm_up_bars(),
            Self::Bollinger(bollinger) => bollinger.warm_up_bars(),
            Self::Macd(macd) => macd.warm_up_bars(),
            Self::Keltner(keltner) => keltner.warm_up_bars(),
        }
    }

    /// Appends the state as canonical bytes, little endian: equal states give equal bytes on every machine.
    pub fn write_state(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Sma(sma) => tagged(bytes, 1, |bytes| sma.write_state(bytes)),
            Self::Ema(ema) => tagged(bytes, 2, |bytes| ema.write_state(bytes)),
            Self::Rsi(rsi) => tagged(bytes, 3, |bytes| rsi.write_state(bytes)),
            Self::Atr(atr) => tagged(bytes, 4, |bytes| atr.write_state(bytes)),
            Self::Bollinger(bollinger) => tagged(bytes, 5, |bytes| bollinger.write_state(bytes)),
            Self::Macd(macd) => tagged(bytes, 6, |bytes| macd.write_state(bytes)),
            Self::Keltner(keltner) => tagged(bytes, 7, |bytes| keltner.write_state(bytes)),
        }
    }
}

fn tagged(bytes: &mut Vec<u8>, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
    bytes.push(tag);
    write(bytes);
}
