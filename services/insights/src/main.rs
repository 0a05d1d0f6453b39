//! Partner Insights: the one binary people run.

fn main() -> std::process::ExitCode {
    insights_cli::main()
}
