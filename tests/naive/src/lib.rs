//! A slow, obviously correct reading of the definitions; shares no crate of the workspace.
