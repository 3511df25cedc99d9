//! The element that hora is given: four dimensions of eight bits in the place of one fraction.
//!
//! hora is generic over fractions and hands rows of them to a distance of ours. So a row is what an
//! index scans, a quarter of the memory of fractions and a dot product of the same speed, and its
//! last element is one over its length. Everywhere else, distances above all, a `Unit` is the
//! number that its bits are.

use hora::core::node::FloatElement;
use hora::core::simd_metrics::SIMDOptmized;
use num_traits::{Float, FloatConst, FromPrimitive, Num, NumCast, One, Signed, ToPrimitive, Zero};
use std::num::FpCategory;
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};

/// A number, or four dimensions.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    PartialOrd,
    bytemuck::Pod,
    bytemuck::Zeroable,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(transparent)]
pub(crate) struct Unit(f32);

/// Terms that are added up side by side, as in the scan.
const LANES: usize = 32;

/// A vector as a row; nothing for one without length.
pub(crate) fn row(vector: &[i8]) -> Option<Vec<Unit>> {
    let mut dims = vector.to_vec();
    dims.resize(vector.len().next_multiple_of(LANES), 0);
    let mut row: Vec<Unit> = dims
        .chunks_exact(4)
        .map(|four| {
            Unit(f32::from_le_bytes([four[0], four[1], four[2], four[3]].map(|it| it as u8)))
        })
        .collect();
    let square = dot(&row, &row);
    row.push(Unit(1.0 / (square as f32).sqrt()));
    (square > 0).then_some(row)
}

/// Elements of a row of so many dimensions.
pub(crate) fn elements(width: usize) -> usize {
    width.next_multiple_of(LANES) / 4 + 1
}

/// How near two vectors are, but for the length of the first, which is the same for all.
pub(crate) fn cosine(asked: &[i8], vector: &[i8]) -> f32 {
    sum(asked, vector) as f32 / (sum(vector, vector).max(1) as f32).sqrt()
}

fn dot(one: &[Unit], other: &[Unit]) -> i32 {
    sum(bytemuck::cast_slice(one), bytemuck::cast_slice(other))
}

fn sum(one: &[i8], other: &[i8]) -> i32 {
    let product =
        |one: i8, other: i8| <i32 as From<i8>>::from(one) * <i32 as From<i8>>::from(other);
    let mut sums = [0; LANES];
    let (mut all, mut others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    for (one, other) in all.by_ref().zip(others.by_ref()) {
        for lane in 0..LANES {
            sums[lane] += product(one[lane], other[lane]);
        }
    }
    let rest = all.remainder().iter().zip(others.remainder());
    sums.iter().sum::<i32>() + rest.map(|(one, other)| product(*one, *other)).sum::<i32>()
}

/// hora's other metrics are wrong in themselves, and nobody asks for them here.
const ONE_METRIC: &str = "only the Euclidean distance is known";

impl SIMDOptmized for Unit {
    fn dot_product(_: &[Unit], _: &[Unit]) -> Result<Unit, &'static str> {
        Err(ONE_METRIC)
    }

    fn manhattan_distance(_: &[Unit], _: &[Unit]) -> Result<Unit, &'static str> {
        Err(ONE_METRIC)
    }

    /// Of unit vectors, squared: it orders as the cosine does.
    fn euclidean_distance(one: &[Unit], other: &[Unit]) -> Result<Unit, &'static str> {
        match (one.split_last(), other.split_last()) {
            (Some((one_over, one)), Some((over, other))) => {
                Ok(Unit(2.0 - 2.0 * dot(one, other) as f32 * one_over.0 * over.0))
            }
            _ => Err("a row without an end"),
        }
    }
}

impl FloatElement for Unit {
    fn float_one() -> Unit {
        Unit(1.0)
    }

    fn float_two() -> Unit {
        Unit(2.0)
    }

    fn float_zero() -> Unit {
        Unit(0.0)
    }

    fn zero_patch_num() -> Unit {
        Unit(1.34e-6)
    }
}

macro_rules! operators {
    ($($operator:ident $one:ident $assign:ident $all:ident;)*) => {$(
        impl $operator for Unit {
            type Output = Unit;
            fn $one(self, other: Unit) -> Unit {
                Unit(self.0.$one(other.0))
            }
        }
        impl $assign for Unit {
            fn $all(&mut self, other: Unit) {
                self.0.$all(other.0);
            }
        }
    )*};
}

operators! {
    Add add AddAssign add_assign;
    Sub sub SubAssign sub_assign;
    Mul mul MulAssign mul_assign;
    Div div DivAssign div_assign;
    Rem rem RemAssign rem_assign;
}

impl Neg for Unit {
    type Output = Unit;

    fn neg(self) -> Unit {
        Unit(-self.0)
    }
}

impl Zero for Unit {
    fn zero() -> Unit {
        Unit(0.0)
    }

    fn is_zero(&self) -> bool {
        self.0 == 0.0
    }
}

impl One for Unit {
    fn one() -> Unit {
        Unit(1.0)
    }
}

impl Num for Unit {
    type FromStrRadixErr = <f32 as Num>::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Unit, Self::FromStrRadixErr> {
        f32::from_str_radix(text, radix).map(Unit)
    }
}

impl std::iter::Sum for Unit {
    fn sum<I: Iterator<Item = Unit>>(all: I) -> Unit {
        Unit(all.map(|it| it.0).sum())
    }
}

impl ToPrimitive for Unit {
    fn to_i64(&self) -> Option<i64> {
        self.0.to_i64()
    }

    fn to_u64(&self) -> Option<u64> {
        self.0.to_u64()
    }

    fn to_f64(&self) -> Option<f64> {
        self.0.to_f64()
    }
}

impl FromPrimitive for Unit {
    fn from_i64(number: i64) -> Option<Unit> {
        Some(Unit(number as f32))
    }

    fn from_u64(number: u64) -> Option<Unit> {
        Some(Unit(number as f32))
    }

    fn from_f64(number: f64) -> Option<Unit> {
        Some(Unit(number as f32))
    }
}

impl NumCast for Unit {
    fn from<T: ToPrimitive>(number: T) -> Option<Unit> {
        number.to_f32().map(Unit)
    }
}

impl Signed for Unit {
    fn abs(&self) -> Unit {
        Unit(self.0.abs())
    }

    fn abs_sub(&self, other: &Unit) -> Unit {
        Unit((self.0 - other.0).max(0.0))
    }

    fn signum(&self) -> Unit {
        Unit(self.0.signum())
    }

    fn is_positive(&self) -> bool {
        self.0 > 0.0
    }

    fn is_negative(&self) -> bool {
        self.0 < 0.0
    }
}

macro_rules! constants {
    ($($constant:ident)*) => {
        impl FloatConst for Unit {
            $(fn $constant() -> Unit { Unit(<f32 as FloatConst>::$constant()) })*
        }
    };
}

constants! {
    E FRAC_1_PI FRAC_1_SQRT_2 FRAC_2_PI FRAC_2_SQRT_PI FRAC_PI_2 FRAC_PI_3 FRAC_PI_4 FRAC_PI_6
    FRAC_PI_8 LN_10 LN_2 LOG10_E LOG2_E PI SQRT_2
}

macro_rules! float {
    (
        of nothing: $($of_nothing:ident)*;
        of one: $($of_one:ident)*;
        of two: $($of_two:ident)*;
        tells: $($tells:ident)*;
    ) => {
        impl Float for Unit {
            $(fn $of_nothing() -> Unit { Unit(<f32 as Float>::$of_nothing()) })*
            $(fn $of_one(self) -> Unit { Unit(Float::$of_one(self.0)) })*
            $(fn $of_two(self, other: Unit) -> Unit { Unit(Float::$of_two(self.0, other.0)) })*
            $(fn $tells(self) -> bool { Float::$tells(self.0) })*

            /// Four dimensions may have the bits of no number.
            fn is_nan(self) -> bool {
                false
            }

            fn is_infinite(self) -> bool {
                false
            }

            fn classify(self) -> FpCategory {
                self.0.classify()
            }

            fn mul_add(self, factor: Unit, term: Unit) -> Unit {
                Unit(self.0.mul_add(factor.0, term.0))
            }

            fn powi(self, power: i32) -> Unit {
                Unit(self.0.powi(power))
            }

            fn sin_cos(self) -> (Unit, Unit) {
                let (sin, cos) = self.0.sin_cos();
                (Unit(sin), Unit(cos))
            }

            fn integer_decode(self) -> (u64, i16, i8) {
                Float::integer_decode(self.0)
            }
        }
    };
}

float! {
    of nothing: nan infinity neg_infinity neg_zero min_value min_positive_value max_value epsilon;
    of one: floor ceil round trunc fract abs signum recip sqrt exp exp2 ln log2 log10 cbrt sin cos
        tan asin acos atan exp_m1 ln_1p sinh cosh tanh asinh acosh atanh;
    of two: powf log max min abs_sub hypot atan2;
    tells: is_finite is_normal is_sign_positive is_sign_negative;
}
