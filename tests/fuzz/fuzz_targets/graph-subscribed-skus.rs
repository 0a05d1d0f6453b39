#![no_main]

insights_fuzz::target!("graph-subscribed-skus");
