//! The product against the second, slow implementation: random partners, random questions, every cell compared.

pub mod by_column;
pub mod compare;
pub mod facts;
pub mod in_memory;
pub mod oddities;
pub mod product;
pub mod question;
pub mod random;
pub mod random_partner;
pub mod run;
