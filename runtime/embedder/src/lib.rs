//! The embedder that comes with the runtime: a static table, offline, no model at run time.
//!
//! A text's vector is the sum of the rows of its word pieces, cut to unit length and to eight bits
//! a dimension. Where the table comes from and how it is made again: `data/PROVENANCE.md`.

pub mod limits;
mod pieces;
#[cfg(not(feature = "http"))]
#[path = "no_remote.rs"]
mod remote;
#[cfg(feature = "http")]
mod remote;
mod settings;

pub use limits::EmbeddingConfig;
pub use remote::Remote;
pub use settings::{EmbedError, RemoteConfig};
pub use stoa_endpoint::{Key, Secret};

use pieces::Vocabulary;
use std::sync::{Arc, OnceLock};
use stoa_actors::atom::{Embed, Embedding};

/// `STOAEMB1`, rows, dims, bytes of vocabulary (`u32`), the vocabulary in the order of the rows,
/// one half-precision scale a row, the rows in signed bytes; little endian.
#[cfg(feature = "vectors")]
static TABLE: &[u8] = include_bytes!("../data/stoa-embed-256.bin");

/// A table without a row.
#[cfg(not(feature = "vectors"))]
static TABLE: &[u8] = b"STOAEMB1\0\0\0\0\0\x01\0\0\0\0\0\0";

/// The first four bytes of the table's SHA-256.
pub const FINGERPRINT: u32 = 0xdce1_a46d;

const MAGIC: &[u8] = b"STOAEMB1";

/// A table of one row for each word piece, read in place.
pub struct EmbeddingTable {
    dims: usize,
    vocabulary: Vocabulary,
    scales: &'static [u8],
    rows: &'static [u8],
}

/// The table that is compiled in. The first call reads its vocabulary, a few milliseconds.
pub fn built_in() -> Arc<EmbeddingTable> {
    static LOADED: OnceLock<Arc<EmbeddingTable>> = OnceLock::new();
    LOADED
        .get_or_init(|| {
            let table = EmbeddingTable::read(TABLE);
            Arc::new(table.unwrap_or_else(|| unreachable!("a test reads the table")))
        })
        .clone()
}

impl EmbeddingTable {
    /// Nothing when the bytes are no table, or more than one.
    fn read(bytes: &'static [u8]) -> Option<EmbeddingTable> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (rows, rest) = number(rest)?;
        let (dims, rest) = number(rest)?;
        let (words, rest) = number(rest)?;
        let (words, rest) = rest.split_at_checked(words)?;
        let (scales, values) = rest.split_at_checked(rows.checked_mul(2)?)?;
        let vocabulary = Vocabulary::read(std::str::from_utf8(words).ok()?);
        let whole = vocabulary.len() == rows && values.len() == rows.checked_mul(dims)?;
        whole.then_some(EmbeddingTable { dims, vocabulary, scales, rows: values })
    }

    fn scale(&self, row: usize) -> f32 {
        half(u16::from_le_bytes([self.scales[row * 2], self.scales[row * 2 + 1]]))
    }

    /// The sum of the rows of a text's pieces, at unit length; nothing when none is known.
    fn vector(&self, text: &str) -> Option<Vec<f32>> {
        let mut sum = vec![0f32; self.dims];
        self.vocabulary.pieces(text, |piece| {
            let (row, scale) = (piece as usize, self.scale(piece as usize));
            let values = &self.rows[row * self.dims..][..self.dims];
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += scale * f32::from(*value as i8);
            }
        });
        let length = sum.iter().map(|it| it * it).sum::<f32>().sqrt();
        if length == 0.0 {
            return None;
        }
        sum.iter_mut().for_each(|it| *it /= length);
        Some(sum)
    }
}

impl Embed for EmbeddingTable {
    fn fingerprint(&self) -> u32 {
        FINGERPRINT
    }

    fn embed(&self, text: &str) -> Option<Embedding> {
        Embedding::of(FINGERPRINT, &self.vector(text)?).ok()
    }
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number) as usize, rest))
}

/// IEEE 754 half precision; a table holds no infinity.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (u32::from(bits >> 10) & 31, u32::from(bits) & 1023);
    let size = match exponent {
        0 => fraction as f32 * 2f32.powi(-24),
        _ => f32::from_bits((exponent + 112) << 23 | fraction << 13),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(all(test, feature = "vectors"))]
mod tests {
    use super::*;
    use stoa_actors::log::Hash;

    #[test]
    fn the_table_is_the_one_that_is_named() {
        let hash = Hash::of(TABLE).to_string();
        assert_eq!(hash, "dce1a46d2fe159f2ef7c3399563dab362e59e97d2b5411e1060844b7ed49199a");
        assert!(hash.starts_with(&format!("{FINGERPRINT:x}")));
        let table = EmbeddingTable::read(TABLE).unwrap();
        assert_eq!((table.vocabulary.len(), table.dims), (29_524, 256));
        assert_eq!(TABLE.len(), 7_836_876);
    }

    #[test]
    fn what_is_no_table_is_not_read() {
        assert!(EmbeddingTable::read(b"").is_none());
        assert!(EmbeddingTable::read(&TABLE[..TABLE.len() - 1]).is_none());
        assert!(EmbeddingTable::read(&TABLE[1..]).is_none());
        assert!(
            EmbeddingTable::read(b"STOAEMB1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
                .is_none()
        );
    }

    #[test]
    fn half_precision_is_read_exactly() {
        assert_eq!(half(0x3c00), 1.0);
        assert_eq!(half(0xc000), -2.0);
        assert_eq!(half(0x7bff), 65_504.0);
        assert_eq!(half(0x0001), 2f32.powi(-24));
        assert_eq!(half(0x3555), 0.333_251_95);
    }

    #[test]
    fn what_means_the_same_is_near() {
        let table = built_in();
        let near = |a: &str, b: &str| {
            let (a, b) = (table.vector(a).unwrap(), table.vector(b).unwrap());
            a.iter().zip(&b).map(|(x, y)| x * y).sum::<f32>()
        };
        assert!(near("fix the login bug", "repair authentication error") > 0.15);
        assert!(near("fix the login bug", "banana bread recipe") < 0.1);
        assert!(table.embed("\u{1f9ff}").is_none() && table.embed("").is_none());
    }

    #[test]
    fn eight_bits_keep_the_vector() {
        let table = built_in();
        let (exact, kept) = (table.vector("a durable log").unwrap(), table.embed("a durable log"));
        let kept = kept.unwrap();
        assert_eq!(kept.dims.len(), 256);
        assert!(kept.dims.iter().any(|it| (*it as i8).unsigned_abs() == 127));
        for (exact, kept_as) in exact.iter().zip(&kept.dims) {
            assert!((exact - f32::from(*kept_as as i8) * kept.scale).abs() <= kept.scale * 0.51);
        }
    }
}
