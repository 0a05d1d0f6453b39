#![no_main]

insights_fuzz::target!("pc-subscribed-skus");
