//! `insights import --template`.

use crate::{
    failure::Failure,
    import::{
        RecordKind,
        template::{Form, template},
    },
    output,
};

/// Prints a file to begin with.
pub fn run(kind: RecordKind, form: Form) -> Result<(), Failure> {
    output::print(&template(kind, form))
}
