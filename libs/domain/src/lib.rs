//! The definitions of Partner Insights as pure functions and types.
