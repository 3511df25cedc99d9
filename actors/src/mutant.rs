//! Named bugs, planted where the feature `mutants` is on and its function `with` asks for one: a law
//! that no planted bug can break proves nothing. Without the feature nothing of this is left.

/// Is this bug planted here and now? Always `false` without the feature `mutants`.
#[cfg(not(feature = "mutants"))]
pub const fn planted(_name: &str) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use on::{planted, with};

#[cfg(feature = "mutants")]
mod on {
    use std::cell::Cell;

    thread_local! {
        static PLANTED: Cell<Option<&'static str>> = const { Cell::new(None) };
    }

    /// Is this bug planted here and now?
    pub fn planted(name: &str) -> bool {
        PLANTED.get() == Some(name)
    }

    /// Runs `body` on this thread with one bug planted, and takes it out again, also by a panic.
    pub fn with<T>(name: &'static str, body: impl FnOnce() -> T) -> T {
        struct Out(Option<&'static str>);
        impl Drop for Out {
            fn drop(&mut self) {
                PLANTED.set(self.0);
            }
        }
        let _out = Out(PLANTED.replace(Some(name)));
        body()
    }
}
