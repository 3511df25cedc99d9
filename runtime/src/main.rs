//! The `stoa` command.
fn main() {
    stoa_runtime::worker_main_if_asked();
}
