//! Planted bugs. Only the feature `mutants` compiles them in, and only a test that asks for one by
//! name sees it: the laws must catch every one, or they are not laws.

/// Whether this bug is planted here and now.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub const fn planted(_name: &str) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use planting::{planted, with};

#[cfg(feature = "mutants")]
mod planting {
    use std::cell::RefCell;

    thread_local! {
        static PLANTED: RefCell<Option<String>> = const { RefCell::new(None) };
    }

    /// Whether this bug is planted on this thread.
    pub fn planted(name: &str) -> bool {
        PLANTED.with_borrow(|it| it.as_deref() == Some(name))
    }

    /// Runs `test` with the bug planted, on this thread only.
    pub fn with<R>(name: &str, test: impl FnOnce() -> R) -> R {
        struct Pull;
        impl Drop for Pull {
            fn drop(&mut self) {
                PLANTED.set(None);
            }
        }
        PLANTED.set(Some(name.to_owned()));
        let _pull = Pull;
        test()
    }
}
