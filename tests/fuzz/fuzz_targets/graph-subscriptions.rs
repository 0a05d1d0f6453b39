#![no_main]

insights_fuzz::target!("graph-subscriptions");
