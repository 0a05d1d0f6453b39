#![no_main]

insights_fuzz::target!("insights-customers");
