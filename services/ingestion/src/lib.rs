//! Takes records in, keeps the facts, tells what changed.
