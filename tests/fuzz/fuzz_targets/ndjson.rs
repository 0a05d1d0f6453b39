#![no_main]

insights_fuzz::target!("ndjson");
