CREATE TABLE users (
	id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
	email TEXT NOT NULL CONSTRAINT users_email_unique UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
	name TEXT CHECK (length(name) BETWEEN 1 AND 200),
	password_hash TEXT NOT NULL,
	role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
	status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
	status_reason TEXT CHECK (length(status_reason) BETWEEN 1 AND 500),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	last_login_at INTEGER,
	password_changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- users(email) is indexed by its constraint. The id ends the order of rows made in one millisecond.
CREATE INDEX users_created_at_index ON users (created_at DESC, id DESC);
CREATE INDEX users_admins_index ON users (id) WHERE role = 'admin';
