//! Texts that teach agents how to use spaces. No code anywhere knows a convention by name.
