//! The tests are in `tests/e2e`; the world that they run in is `causeway-harness`.
