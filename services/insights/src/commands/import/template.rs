//! `insights import --template`.

use insights_import::{
    RecordKind,
    template::{Form, template},
};

use crate::{failure::Failure, output};

/// Prints a file to begin with.
pub fn run(kind: RecordKind, form: Form) -> Result<(), Failure> {
    output::print(&template(kind, form))
}
