#![no_main]

insights_fuzz::target!("parquet");
