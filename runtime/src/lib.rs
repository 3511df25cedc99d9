//! What keeps stoa's actors alive.
