//! The layout of a space's state. It is here, and not with the other layouts, because nobody but the
//! space sees its state.

use super::Space;
use super::lease::Leases;
use crate::stored;

stored!(record Space { id, description, subscriptions, leases } grown { declares } derived { ready_set });
stored!(record Leases { by, due, token });
