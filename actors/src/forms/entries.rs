//! What every entry has, whatever kind of actor wrote it.

use crate::log::{Answered, Body, Cause};
use crate::redaction::Redacted;
use crate::stored;

stored!(record Body { id, at, kind, by, agent, cause, comment, answers } bytes { events });
stored!(record Cause { root, hop });
stored!(record Answered { key, form, request } bytes { reply });
stored!(record Redacted { atom, bodies, whole });
