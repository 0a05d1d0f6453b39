#![no_main]

insights_fuzz::target!("product-names");
