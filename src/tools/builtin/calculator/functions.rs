//! The functions that an expression may call.

use super::{Outcome, number::Number};

/// How many arguments a function takes, at least and at most.
type Arity = (usize, usize);

/// A function of one or two arguments, or of any number.
#[derive(Clone, Copy)]
enum Function {
    One(fn(Number) -> Outcome),
    Two(fn(Number, Number) -> Outcome),
    /// The second argument may be left out: then it is this.
    OneOrTwo(fn(Number, Number) -> Outcome, i128),
    /// Of all arguments, two at a time.
    All(fn(Number, Number) -> Outcome),
}

use Function::{All, One, OneOrTwo, Two};

const FUNCTIONS: &[(&str, Function)] = &[
    ("abs", One(|x| if x.float() < 0.0 { x.negated() } else { Ok(x) })),
    ("sqrt", One(|x| Number::near(x.float().sqrt()))),
    ("cbrt", One(|x| Number::near(x.float().cbrt()))),
    ("exp", One(|x| Number::near(x.float().exp()))),
    ("ln", One(|x| Number::near(x.float().ln()))),
    ("log", OneOrTwo(log, 10)),
    ("sin", One(|x| Number::near(x.float().sin()))),
    ("cos", One(|x| Number::near(x.float().cos()))),
    ("tan", One(|x| Number::near(x.float().tan()))),
    ("asin", One(|x| Number::near(x.float().asin()))),
    ("acos", One(|x| Number::near(x.float().acos()))),
    ("atan", One(|x| Number::near(x.float().atan()))),
    ("atan2", Two(|y, x| Number::near(y.float().atan2(x.float())))),
    ("floor", One(|x| x.rounded(i128::checked_div_euclid, f64::floor))),
    ("ceil", One(|x| x.negated()?.rounded(i128::checked_div_euclid, f64::floor)?.negated())),
    ("trunc", One(|x| x.rounded(i128::checked_div, f64::trunc))),
    ("round", OneOrTwo(round, 0)),
    ("min", All(|x, y| Ok(if y.float() < x.float() { y } else { x }))),
    ("max", All(|x, y| Ok(if y.float() > x.float() { y } else { x }))),
];

/// The names of all functions.
pub(super) fn names() -> String {
    let names: Vec<_> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Whether there is such a function.
pub(super) fn is_known(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _)| *known == name)
}

/// Calls a function.
pub(super) fn call(name: &str, arguments: &[Number]) -> Outcome {
    let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
        return Err(format!("there is no function `{name}`; there are {}", names()));
    };
    match (function, arguments) {
        (One(function), [x]) => function(*x),
        (Two(function) | OneOrTwo(function, _), [x, y]) => function(*x, *y),
        (OneOrTwo(function, second), [x]) => function(*x, Number::whole(*second)),
        (All(function), [first, rest @ ..]) => rest.iter().try_fold(*first, |so_far, x| function(so_far, *x)),
        _ => {
            let (least, most) = arity(*function);
            let takes = if least == most { format!("{least}") } else { format!("{least} or more") };
            Err(format!("`{name}` takes {takes} arguments, not {}", arguments.len()))
        }
    }
}

const fn arity(function: Function) -> Arity {
    match function {
        One(_) => (1, 1),
        Two(_) => (2, 2),
        OneOrTwo(..) => (1, 2),
        All(_) => (1, usize::MAX),
    }
}

/// The logarithm. Those of whole powers come out whole, which a quotient of two logarithms does not.
fn log(x: Number, base: Number) -> Outcome {
    Number::near(match base {
        Number::Exact(10, 1) => x.float().log10(),
        Number::Exact(2, 1) => x.float().log2(),
        _ => x.float().ln() / base.float().ln(),
    })
}

/// Rounds to so many decimal places, halves away from zero.
fn round(x: Number, places: Number) -> Outcome {
    let Number::Exact(places @ -30..=30, 1) = places else {
        return Err("`round` takes whole places, from -30 to 30".to_owned());
    };
    let unit = Number::whole(10).power(Number::whole(places))?;
    x.times(unit)?.rounded(half_away, f64::round)?.over(unit)
}

fn half_away(over: i128, under: i128) -> Option<i128> {
    let doubled = over.checked_abs()?.checked_mul(2)?.checked_add(under)?;
    let whole = doubled.checked_div(under.checked_mul(2)?)?;
    if over < 0 { whole.checked_neg() } else { Some(whole) }
}
