//! The one runtime: a current-thread tokio on a thread of its own, shared by every pool and every JavaScript thread of the process.

use std::sync::OnceLock;
use std::sync::mpsc;

use tokio::runtime::{Builder, Handle};

/// The runtime's handle; starts the thread on first use, which then lives as long as the process.
pub fn handle() -> &'static Handle {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new()
            .name("lakebase-native".into())
            .spawn(move || {
                let runtime = Builder::new_current_thread().enable_all().build().expect("the process can open an event queue");
                // The receiver waits until this arrives.
                let _ = sender.send(runtime.handle().clone());
                runtime.block_on(std::future::pending::<()>());
            })
            .expect("the process can start a thread");
        receiver.recv().expect("the thread sends its handle first")
    })
}
