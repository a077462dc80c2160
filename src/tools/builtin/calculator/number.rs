//! Numbers that stay exact as long as they can: fractions of whole numbers of 128 bits, and beyond those
//! what a machine's floating point gives.

use std::fmt;

use super::Outcome;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// A fraction in its lowest terms; the second is above 0.
    Exact(i128, i128),
    /// Near the true value.
    Near(f64),
}

use Number::{Exact, Near};

/// Decimal places that an exact number is written with at most.
const PLACES: u32 = 18;

/// Up to here every whole number is a floating point number of its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl Number {
    pub(super) const fn whole(value: i128) -> Self {
        Exact(value, 1)
    }

    /// A fraction in its lowest terms; none where that has no place in 128 bits.
    pub(super) fn fraction(over: i128, under: i128) -> Option<Self> {
        let (mut larger, mut smaller) = (over.unsigned_abs(), under.unsigned_abs());
        while let Some(rest) = larger.checked_rem(smaller) {
            (larger, smaller) = (smaller, rest);
        }
        let divisor = i128::try_from(larger).ok()?;
        let (over, under) = (over.checked_div(divisor)?, under.checked_div(divisor)?);
        Some(if under < 0 { Exact(over.checked_neg()?, under.checked_neg()?) } else { Exact(over, under) })
    }

    /// What floating point came to: exact again where it is whole.
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    pub(super) fn near(value: f64) -> Outcome {
        if value.is_nan() {
            return Err("the result is not a number".to_owned());
        }
        if value.is_infinite() {
            return Err("the result is too large".to_owned());
        }
        Ok(if value.fract() == 0.0 && value.abs() < WHOLE { Exact(value as i128, 1) } else { Near(value) })
    }

    #[expect(clippy::cast_precision_loss, reason = "floating point is near, not exact")]
    pub(super) fn float(self) -> f64 {
        match self {
            Exact(over, under) => over as f64 / under as f64,
            Near(value) => value,
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.float() == 0.0
    }

    pub(super) fn negated(self) -> Outcome {
        match self {
            Exact(over, under) => {
                over.checked_neg().map_or(Self::near(-self.float()), |n| Ok(Exact(n, under)))
            }
            Near(value) => Ok(Near(-value)),
        }
    }

    pub(super) fn plus(self, other: Self) -> Outcome {
        let exact = |(a, b): (i128, i128), (c, d): (i128, i128)| {
            let over = a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?;
            Self::fraction(over, b.checked_mul(d)?)
        };
        self.with(other, exact, |a, b| a + b)
    }

    pub(super) fn minus(self, other: Self) -> Outcome {
        self.plus(other.negated()?)
    }

    pub(super) fn times(self, other: Self) -> Outcome {
        let exact =
            |(a, b): (i128, i128), (c, d): (i128, i128)| Self::fraction(a.checked_mul(c)?, b.checked_mul(d)?);
        self.with(other, exact, |a, b| a * b)
    }

    pub(super) fn over(self, other: Self) -> Outcome {
        if other.is_zero() {
            return Err("a division by zero".to_owned());
        }
        let exact =
            |(a, b): (i128, i128), (c, d): (i128, i128)| Self::fraction(a.checked_mul(d)?, b.checked_mul(c)?);
        self.with(other, exact, |a, b| a / b)
    }

    /// The remainder, with the sign of `self`.
    pub(super) fn remainder(self, other: Self) -> Outcome {
        if other.is_zero() {
            return Err("a remainder of a division by zero".to_owned());
        }
        let exact = |(a, b): (i128, i128), (c, d): (i128, i128)| {
            let over = a.checked_mul(d)?.checked_rem(c.checked_mul(b)?)?;
            Self::fraction(over, b.checked_mul(d)?)
        };
        self.with(other, exact, |a, b| a % b)
    }

    pub(super) fn power(self, exponent: Self) -> Outcome {
        let float = self.float().powf(exponent.float());
        if self.is_zero() && exponent.float() < 0.0 {
            return Err("zero to a negative power is a division by zero".to_owned());
        }
        match (self, exponent) {
            (Exact(over, under), Exact(times, 1)) => {
                let raised = u32::try_from(times.unsigned_abs())
                    .ok()
                    .and_then(|times| Some((over.checked_pow(times)?, under.checked_pow(times)?)));
                let exact = raised.and_then(|(over, under)| {
                    if times < 0 { Self::fraction(under, over) } else { Self::fraction(over, under) }
                });
                exact.map_or_else(|| Self::near(float), Ok)
            }
            _ => Self::near(float),
        }
    }

    /// The whole number that a rule makes of this one: `exact` of both parts, `near` of the value.
    pub(super) fn rounded(self, exact: fn(i128, i128) -> Option<i128>, near: fn(f64) -> f64) -> Outcome {
        match self {
            Exact(over, under) if let Some(whole) = exact(over, under) => Ok(Self::whole(whole)),
            _ => Self::near(near(self.float())),
        }
    }

    fn with(
        self,
        other: Self,
        exact: impl Fn((i128, i128), (i128, i128)) -> Option<Self>,
        near: fn(f64, f64) -> f64,
    ) -> Outcome {
        if let (Exact(a, b), Exact(c, d)) = (self, other)
            && let Some(exact) = exact((a, b), (c, d))
        {
            return Ok(exact);
        }
        Self::near(near(self.float(), other.float()))
    }
}

/// Whole numbers and short decimal fractions as they are; others to 15 digits.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Exact(over, 1) if over.unsigned_abs() < 10_u128.pow(36) => write!(f, "{over}"),
            Exact(over, under) => match decimal(over, under) {
                Some(text) => f.write_str(&text),
                None => digits(f, self.float()),
            },
            Near(value) => digits(f, value),
        }
    }
}

/// A fraction as a decimal number, where that ends.
fn decimal(over: i128, under: i128) -> Option<String> {
    let places = (0..=PLACES).find(|places| 10_i128.pow(*places).checked_rem(under) == Some(0))?;
    let scaled = over.checked_mul(10_i128.pow(places).checked_div(under)?)?.unsigned_abs();
    let unit = 10_u128.pow(places);
    let (whole, rest) = (scaled.checked_div(unit)?, scaled.checked_rem(unit)?);
    if places == 0 || whole >= 10_u128.pow(21) {
        return None;
    }
    let sign = if over < 0 { "-" } else { "" };
    Some(format!("{sign}{whole}.{rest:0width$}", width = usize::try_from(places).ok()?))
}

/// Floating point to 15 digits, which is what it holds for certain.
fn digits(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    let value: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let is_usual = value == 0.0 || (1e-15..1e21).contains(&value.abs());
    if is_usual { write!(f, "{value}") } else { write!(f, "{value:e}") }
}
