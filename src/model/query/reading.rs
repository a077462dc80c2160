//! Reading a condition as somebody wrote it: how large it may be, and the name of the field that is at fault.

use super::{MAX_CONDITIONS, MAX_DEPTH};
use crate::model::{Refusal, Timestamp};

/// What is left of how large a condition may be, and where in it the reading is.
pub struct Reading<'a> {
    left: &'a mut usize,
    /// Levels that there may be from this one on.
    levels: usize,
    path: String,
}

impl Reading<'_> {
    /// Reads a condition that stands in `field`.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn all<T>(
        field: &str,
        read: impl FnOnce(&mut Reading<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        Self::within((MAX_DEPTH, MAX_CONDITIONS), field, read)
    }

    /// Reads a condition that was kept, and was as large as it may be when it was taken: something may have been added
    /// to it then, such as a filter that stood beside it.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn kept<T>(
        field: &str,
        read: impl FnOnce(&mut Reading<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        Self::within((2 * MAX_DEPTH, 2 * MAX_CONDITIONS), field, read)
    }

    fn within<T>(
        (levels, mut left): (usize, usize),
        field: &str,
        read: impl FnOnce(&mut Reading<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        read(&mut Reading { left: &mut left, levels, path: field.to_owned() })
    }

    /// The field of this condition.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Goes on with a condition inside this one.
    ///
    /// # Errors
    /// Where conditions stand too deep.
    pub fn below(&mut self, name: &str) -> Result<Reading<'_>, Refusal> {
        let path = self.field(name);
        if self.levels <= 1 {
            let message = format!("conditions stand more than {MAX_DEPTH} levels deep; say it in fewer");
            return Err(Refusal::limit(path, message));
        }
        Ok(Reading { left: &mut *self.left, levels: self.levels - 1, path })
    }

    /// Counts one more part.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn count(&mut self) -> Result<(), Refusal> {
        let Some(left) = self.left.checked_sub(1) else {
            let message = format!("there are more than {MAX_CONDITIONS} conditions; ask with fewer");
            return Err(Refusal::limit(self.path.clone(), message));
        };
        *self.left = left;
        Ok(())
    }
}

/// Collects the parts of a condition that are given.
pub struct Parts<C> {
    /// The parts so far.
    pub all: Vec<C>,
}

impl<C> Default for Parts<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Parts<C> {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { all: Vec::new() }
    }

    /// Adds a part, if it is given.
    ///
    /// # Errors
    /// Those of `read`, and where there are too many.
    pub fn add<T>(
        &mut self,
        reading: &mut Reading<'_>,
        given: Option<T>,
        name: &str,
        read: impl FnOnce(T, &str) -> Result<C, Refusal>,
    ) -> Result<(), Refusal> {
        if let Some(given) = given {
            reading.count()?;
            self.all.push(read(given, &reading.field(name))?);
        }
        Ok(())
    }

    /// Adds a list of which one must be the case. An empty one says nothing.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn one_of<T>(
        &mut self,
        reading: &mut Reading<'_>,
        given: Option<Vec<T>>,
        make: impl FnOnce(Vec<T>) -> C,
    ) -> Result<(), Refusal> {
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            reading.count()?;
            self.all.push(make(given));
        }
        Ok(())
    }

    /// Adds conditions inside this one, if they are given.
    ///
    /// # Errors
    /// Those of `read`, where conditions stand too deep, and where there are too many.
    pub fn each<T>(
        &mut self,
        reading: &mut Reading<'_>,
        given: Option<Vec<T>>,
        name: &str,
        make: impl FnOnce(Vec<C>) -> C,
        read: impl Fn(T, &mut Reading<'_>) -> Result<C, Refusal>,
    ) -> Result<(), Refusal> {
        let Some(given) = given else { return Ok(()) };
        reading.count()?;
        let inner = given.into_iter().enumerate();
        let inner = inner.map(|(index, one)| read(one, &mut reading.below(&format!("{name}.{index}"))?));
        self.all.push(make(inner.collect::<Result<_, _>>()?));
        Ok(())
    }

    /// Adds a condition inside this one, if it is given.
    ///
    /// # Errors
    /// As [`Parts::each`].
    pub fn inner<T>(
        &mut self,
        reading: &mut Reading<'_>,
        given: Option<T>,
        name: &str,
        read: impl FnOnce(T, &mut Reading<'_>) -> Result<C, Refusal>,
    ) -> Result<(), Refusal> {
        let Some(given) = given else { return Ok(()) };
        reading.count()?;
        self.all.push(read(given, &mut reading.below(name)?)?);
        Ok(())
    }
}

/// Two moments, of which the first must be the earlier one.
///
/// # Errors
/// Where it is not.
pub fn in_order(
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    field: &str,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Refusal> {
    if let (Some(first), Some(last)) = (from, to)
        && first >= last
    {
        return Err(Refusal::invalid(format!("{field}.to"), "must be later than `from`"));
    }
    Ok((from, to))
}
