#![no_main]

insights_fuzz::target!("insights-dynamics-usage");
