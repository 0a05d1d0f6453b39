#![no_main]

insights_fuzz::target!("insights-office-usage");
