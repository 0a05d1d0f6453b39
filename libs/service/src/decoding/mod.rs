//! What decoding a request would take, found out before it is decoded.

mod budget;
mod shapes;
mod walk;

pub(crate) use budget::{Budget, Reservation};
pub(crate) use shapes::{MethodShape, Shapes};
pub(crate) use walk::{Excess, weigh};
