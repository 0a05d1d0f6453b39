#![no_main]

insights_fuzz::target!("pc-customers");
