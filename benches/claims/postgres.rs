//! A PostgreSQL of the bench's own, with its defaults, and the usual queue in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

/// A server on a Unix socket; stopped when it is dropped.
pub(crate) struct Server {
    bin: PathBuf,
    dir: TempDir,
}

/// Where Debian has it.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.filter_map(|it| Some(it.ok()?.path().join("bin")));
    bins.filter(|it| it.join("initdb").exists()).max()
}

impl Server {
    /// Nothing where it is not installed.
    pub(crate) fn start() -> Option<Server> {
        let bin = installed()?;
        let dir = tempfile::tempdir().expect("a directory");
        let server = Server { bin, dir };
        let data = server.data();
        // It does not run as root.
        let chown = Command::new("chown").arg("-R").arg("postgres").arg(server.dir.path()).status();
        chown.expect("a directory of its own");
        let path = |it: &Path| it.display().to_string();
        server.run("initdb", &["-D", &path(&data), "-A", "trust", "-U", "bench"]);
        let options = format!("-k {} -c listen_addresses=''", path(server.dir.path()));
        server.run(
            "pg_ctl",
            &[
                "-D",
                &path(&data),
                "-w",
                "-o",
                &options,
                "-l",
                &path(&server.dir.path().join("log")),
                "start",
            ],
        );
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("pg")
    }

    fn run(&self, program: &str, args: &[&str]) {
        let program = self.bin.join(program);
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program).args(args);
        let done = command.stdout(Stdio::null()).current_dir(self.dir.path()).status();
        assert!(done.expect("a process").success(), "{command:?}");
    }

    async fn connect(&self) -> Client {
        let mut config = Config::new();
        config.host_path(self.dir.path()).user("bench").dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.expect("a connection");
        tokio::spawn(connection);
        client
    }

    /// Seconds until so many workers have claimed and completed all of so many tasks.
    pub(crate) async fn claim_all(&self, tasks: usize, workers: usize) -> f64 {
        let setup = self.connect().await;
        let tables = format!(
            "DROP TABLE IF EXISTS tasks, blockers;
             CREATE TABLE tasks (id bigint PRIMARY KEY, status int NOT NULL, body text NOT NULL);
             CREATE TABLE blockers (task bigint NOT NULL, blocker bigint NOT NULL);
             INSERT INTO tasks SELECT n, 0, 'task ' || n || repeat(' words to be done', 10)
                 FROM generate_series(0, {last}) n;
             INSERT INTO blockers SELECT n, n - 1 FROM generate_series(4, {last}, 5) n;
             CREATE INDEX open_tasks ON tasks (id) WHERE status = 0;
             CREATE INDEX blockers_of ON blockers (task);
             VACUUM ANALYZE tasks; VACUUM ANALYZE blockers;",
            last = tasks - 1
        );
        for statement in tables.split(';').filter(|it| !it.trim().is_empty()) {
            setup.batch_execute(statement).await.expect(statement);
        }
        let mut clients = Vec::new();
        for _ in 0..workers {
            clients.push(self.connect().await);
        }
        let begun = Instant::now();
        let mut running = tokio::task::JoinSet::new();
        for client in clients {
            running.spawn(async move {
                let claim = client.prepare(CLAIM).await.expect("the claim");
                let complete = client
                    .prepare("UPDATE tasks SET status = 2 WHERE id = $1")
                    .await
                    .expect("the completion");
                let mut count = 0;
                loop {
                    let Some(row) = client.query_opt(&claim, &[]).await.expect("a claim") else {
                        // What is left is blocked by what another one is at.
                        let open = client.query_one(LEFT, &[]).await.expect("a count");
                        if open.get::<_, i64>(0) == 0 {
                            return count;
                        }
                        continue;
                    };
                    let id: i64 = row.get(0);
                    client.execute(&complete, &[&id]).await.expect("a completion");
                    count += 1;
                }
            });
        }
        let count: usize = running.join_all().await.into_iter().sum();
        assert_eq!(count, tasks, "every task is done, once");
        begun.elapsed().as_secs_f64()
    }
}

const CLAIM: &str = "
    UPDATE tasks SET status = 1 WHERE id = (
        SELECT id FROM tasks t WHERE status = 0 AND NOT EXISTS (
            SELECT 1 FROM blockers b JOIN tasks x ON x.id = b.blocker
            WHERE b.task = t.id AND x.status <> 2)
        ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
    RETURNING id, body";

const LEFT: &str = "SELECT count(*) FROM tasks WHERE status = 0";

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data().display().to_string();
        self.run("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
    }
}
