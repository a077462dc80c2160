//! How figures change along an order.

use super::{Moments, finite};

/// The slope of the straight line that fits points best (ordinary least squares): by how much `y` changes
/// where `x` grows by 1. `None` where fewer than two different `x` are there.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let middle_x = Moments::of(points.iter().map(|(x, _)| x)).mean()?;
    let middle_y = Moments::of(points.iter().map(|(_, y)| y)).mean()?;
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in points {
        above += (x - middle_x) * (y - middle_y);
        below += (x - middle_x) * (x - middle_x);
    }
    if below > 0.0 { finite(above / below) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope() {
        let line: Vec<_> = [0.0, 1.0, 2.0, 5.0].map(|x| (x, 3.0 - 2.0 * x)).into();
        assert_eq!(slope(&line), Some(-2.0));
        // Anscombe (1973), the first of his four sets: y = 3.00 + 0.500 x.
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let points: Vec<_> = x.into_iter().zip(y).collect();
        assert!((slope(&points).unwrap() - 0.500_090_909).abs() < 1e-9);
    }

    #[test]
    fn a_point_has_none() {
        assert_eq!(slope(&[]), None);
        assert_eq!(slope(&[(1.0, 2.0)]), None);
        assert_eq!(slope(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(slope(&[(0.0, f64::MAX), (1.0, -f64::MAX)]), None);
    }
}
