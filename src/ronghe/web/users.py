"""Users, their roles and workspaces, sessions and tokens: SQLite in the lake's folder, or PostgreSQL by address.

Passwords are kept as Argon2 hashes. Session and API tokens are random and kept only as SHA-256 hashes: who
reads the database can use none of them.
"""

import hashlib
import os
import re
import secrets
import threading
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ronghe.config import Config
from ronghe.errors import AuthError, ConfigError, UnknownName

ROLES = ("viewer", "analyst", "admin")
"""Each may do what those before it may: read and ask; bring data in; bring in data that everyone sees."""
SHORTEST = 10
"""Letters that a password has at least."""
SESSION = 12 * 3600.0
"""Seconds that a login lasts."""
_NAME = re.compile(r"[\w][\w.@-]{0,63}")
_WORKSPACE = re.compile(r"[\w-]{0,32}")
# As costly to check as a real one.
_MISSING_HASH = "$argon2id$v=19$m=65536,t=3,p=4$" + "A" * 22 + "$" + "A" * 43

_TABLES = sa.MetaData()
_USERS = sa.Table(
    "ronghe_user",
    _TABLES,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("password", sa.String(256), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("workspace", sa.String(32), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)
_SESSIONS = sa.Table(
    "ronghe_session",
    _TABLES,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    sa.Column("expires", sa.Float, nullable=False),
)
_TOKENS = sa.Table(
    "ronghe_token",
    _TABLES,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    sa.Column("label", sa.String(64), nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class User:
    """Who asks: a name, what they may do, and whose private data they see besides everyone's."""

    name: str
    role: str
    workspace: str
    tokens: int = 0

    def may(self, role: str) -> bool:
        """Whether this user may do what that role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def users_address(config: Config) -> str:
    """The database of users as SQLAlchemy names it.

    Raises
    ------
    ConfigError : neither SQLite nor PostgreSQL through pg8000, or none is named for a lake in an object store.
    """
    if not config.users:
        if "://" in config.lake:
            raise ConfigError("users_needed", lake=config.lake)
        return f"sqlite:///{Path(config.lake).expanduser().resolve() / 'users.db'}"
    scheme, found, rest = config.users.partition("://")
    if found and scheme in {"postgres", "postgresql", "postgresql+pg8000"}:
        return f"postgresql+pg8000://{rest}"
    if found and scheme == "sqlite":
        return config.users
    raise ConfigError("users_address", known=("sqlite:///users.db", "postgresql://user@host/name"), scheme=scheme)


class Users:
    """The database of users.

    Parameters
    ----------
    address : as ``users_address`` gives it.
    """

    def __init__(self, address: str) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
        # One hash at a time: each takes 64 MB, and a flood of logins must not take the server down.
        self._one = threading.Lock()
        url = sa.make_url(address)
        local = url.get_backend_name() == "sqlite"
        self._engine = (
            sa.create_engine(url, poolclass=sa.pool.NullPool) if local else sa.create_engine(url, pool_pre_ping=True)
        )
        try:
            if local and url.database:
                path = Path(url.database)
                path.parent.mkdir(parents=True, exist_ok=True)
                # Made before SQLite does, so that nobody else on the machine may ever read it.
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            _TABLES.create_all(self._engine)
        except (SQLAlchemyError, OSError) as error:
            raise ConfigError("users_closed", address=url.render_as_string(), why=_reason(error)) from error

    def add(self, name: str, password: str, role: str, workspace: str = "") -> User:
        """A new user.

        Raises
        ------
        AuthError : the name is taken or malformed, the workspace is malformed, or the password is too short.
        UnknownName : there is no such role.
        """
        if role not in ROLES:
            raise UnknownName("unknown_role", role, ROLES)
        name = folded(name)
        if not _NAME.fullmatch(name):
            raise AuthError("user_name", name=name)
        if not _WORKSPACE.fullmatch(workspace):
            raise AuthError("user_workspace", name=workspace)
        row = {"name": name, "password": self._hash(password), "role": role, "workspace": workspace}
        try:
            self._run(sa.insert(_USERS).values(**row, created=time.time()))
        except IntegrityError as error:
            raise AuthError("user_exists", name=name) from error
        return User(name, role, workspace)

    def change_password(self, name: str, password: str) -> None:
        """A new password; every session of the user ends, tokens stay.

        Raises
        ------
        UnknownName : there is no such user.
        AuthError : the password is too short.
        """
        known = self.named(name)
        self._run(sa.update(_USERS).where(_USERS.c.name == known.name).values(password=self._hash(password)))
        self._run(sa.delete(_SESSIONS).where(_SESSIONS.c.name == known.name))

    def remove(self, name: str) -> None:
        """Remove a user with every session and token; what the workspace brought in stays.

        Raises
        ------
        UnknownName : there is no such user.
        """
        known = self.named(name)
        for table in (_SESSIONS, _TOKENS, _USERS):
            self._run(sa.delete(table).where(table.c.name == known.name))

    def all(self) -> list[User]:
        """Every user, by name."""
        count = sa.select(sa.func.count()).where(_TOKENS.c.name == _USERS.c.name).scalar_subquery()
        rows = self._rows(sa.select(_USERS.c.name, _USERS.c.role, _USERS.c.workspace, count).order_by(_USERS.c.name))
        return [User(*row) for row in rows]

    def named(self, name: str) -> User:
        """A user by name.

        Raises
        ------
        UnknownName : there is none.
        """
        known = self.all()
        for user in known:
            if user.name == folded(name):
                return user
        raise UnknownName("unknown_user", name, [u.name for u in known])

    def verify(self, name: str, password: str) -> User | None:
        """The user of that name and password; a wrong name takes as long as a wrong password."""
        rows = self._rows(sa.select(_USERS).where(_USERS.c.name == folded(name)))
        kept = rows[0].password if rows else _MISSING_HASH
        with self._one:
            try:
                self._hasher.verify(kept, password)
            except (VerificationError, InvalidHashError):
                return None
        if not rows:
            return None
        return User(rows[0].name, rows[0].role, rows[0].workspace)

    def open_session(self, user: User) -> str:
        """A login: the token for the browser to keep."""
        token = secrets.token_urlsafe(32)
        self._run(sa.delete(_SESSIONS).where(_SESSIONS.c.expires < time.time()))
        self._run(sa.insert(_SESSIONS).values(hash=_hashed(token), name=user.name, expires=time.time() + SESSION))
        return token

    def close_session(self, token: str) -> None:
        """A logout."""
        self._run(sa.delete(_SESSIONS).where(_SESSIONS.c.hash == _hashed(token)))

    def of_session(self, token: str) -> User | None:
        """Whose session a token is; ``None`` when it is none or has expired."""
        alive = sa.and_(_SESSIONS.c.hash == _hashed(token), _SESSIONS.c.expires > time.time())
        return self._owner(_SESSIONS, alive)

    def make_token(self, name: str, label: str = "") -> str:
        """A token with which programs use the API as this user; it is never shown again.

        Raises
        ------
        UnknownName : there is no such user.
        """
        known, token = self.named(name), f"ronghe_{secrets.token_urlsafe(32)}"
        row = {"hash": _hashed(token), "name": known.name, "label": label[:64], "created": time.time()}
        self._run(sa.insert(_TOKENS).values(**row))
        return token

    def revoke(self, name: str) -> int:
        """End every token of a user. Returns how many there were.

        Raises
        ------
        UnknownName : there is no such user.
        """
        known = self.named(name)
        self._run(sa.delete(_TOKENS).where(_TOKENS.c.name == known.name))
        return known.tokens

    def of_token(self, token: str) -> User | None:
        """Whose API token that is; ``None`` when it is none."""
        return self._owner(_TOKENS, _TOKENS.c.hash == _hashed(token))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _owner(self, table: sa.Table, where: Any) -> User | None:
        joined = sa.join(table, _USERS, table.c.name == _USERS.c.name)
        rows = self._rows(sa.select(_USERS.c.name, _USERS.c.role, _USERS.c.workspace).select_from(joined).where(where))
        return User(*rows[0]) if rows else None

    def _hash(self, password: str) -> str:
        if len(password) < SHORTEST:
            raise AuthError("user_password", shortest=SHORTEST)
        with self._one:
            return self._hasher.hash(password)

    def _run(self, statement: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(statement)

    def _rows(self, statement: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(statement))


def open_users(config: Config) -> Users:
    """The configured database of users.

    Raises
    ------
    ConfigError : its address is none we can use, or it can't be reached.
    """
    return Users(users_address(config))


def folded(name: str) -> str:
    """A name as it is compared: full-width letters and capitals make no difference."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _reason(error: Exception) -> str:
    """The first line of what the database said, without its address."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]
