//! What crosses services: stories, access matrix, faults, contract.
