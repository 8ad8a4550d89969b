//! The program `yishi`; everything is in the library.

fn main() -> std::process::ExitCode {
    yishi_admin::run(std::env::args_os()).into()
}
