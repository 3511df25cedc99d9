//! The place of the texts that teach agents how to use spaces; there are none yet. No code anywhere
//! knows a convention by name.
