//! Who may see what: tokens, policy, redaction.
