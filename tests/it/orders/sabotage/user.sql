--- What is changed in the store of the user service: what happens | the columns | by which invariant it is
--- found, with which row in its witness. See mod.rs.

-- a user gets another id | user.id | I11 alice
UPDATE user SET id = {nothing} WHERE id = {alice};

-- a name changes | user.name | I11 alice
UPDATE user SET name = 'Mallory' WHERE id = {alice};

-- former names are lost | user.former_names | I11 bea
UPDATE user SET former_names = '[]' WHERE id = {bea};

-- an address is not the one of the login | user.email | I11 bea
UPDATE user SET email = 'eve@example.com' WHERE id = {bea};

-- a guest's address changes | user.email | I11 alice
UPDATE user SET email = 'eve@example.com' WHERE id = {alice};

-- a guest is found by another address | user.address | I11 alice
UPDATE user SET address = 'eve@example.com' WHERE id = {alice};

-- a guest's address changes in all forms | user.email user.address | unknowable: nothing but this row ever has the address of a guest
UPDATE user SET email = 'eve@example.com', address = 'eve@example.com' WHERE id = {alice};

-- a user was made later than its id | user.created_at | I11 nico
UPDATE user SET created_at = created_at + {hour} WHERE id = {nico};

-- a user was made days before its id | user.created_at | I11 nico
UPDATE user SET created_at = created_at - 2 * {day} WHERE id = {nico};

-- a user is made in a year | user.created_at | I11 alice
UPDATE user SET created_at = created_at + {year} WHERE id = {alice};

-- a password is no hash | user.password | I11 carl
UPDATE user SET password = 'x' WHERE id = {carl};

-- a password is hashed with little work | user.password | I11 carl
UPDATE user SET password = '$argon2id$v=19$m=8,t=1,p=1$b3JkZXJzeXMtbm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' WHERE id = {carl};

-- a password is hashed in another way | user.password | I11 carl
UPDATE user SET password = replace(password, 'argon2id', 'argon2d') WHERE id = {carl};

-- a name is gone | user.name | I11 nico
UPDATE user SET name = '' WHERE id = {nico};

-- a former name is none | user.former_names | I11 nico
UPDATE user SET former_names = '[" "]' WHERE id = {nico};

-- a password is that of another user | user.password | unknowable: a hash tells of its password only to those who know it
UPDATE user SET password = (SELECT password FROM user WHERE id = {carl}) WHERE id = {bea};

-- a login is not that of the address | user.login | I11 carl
UPDATE user SET login = 'eve@example.com' WHERE id = {carl};

-- a registered user becomes a guest | user.login user.password | I11 bea
UPDATE user SET login = NULL, password = NULL WHERE id = {bea};

-- a guest becomes a registered user | user.login user.password | I11 alice
UPDATE user SET login = email, password = (SELECT password FROM user WHERE id = {carl}) WHERE id = {alice};

-- a user is disabled and keeps its tokens | user.disabled | I11 alice
UPDATE user SET disabled = 1 WHERE id = {alice};

-- a user is disabled and keeps its session | user.disabled user.token_epoch | I11 session
UPDATE user SET disabled = 1, token_epoch = 1 WHERE id = {bea};

-- a user is disabled twice over | user.disabled | I11 dan
UPDATE user SET disabled = 2 WHERE id = {dan};

-- a disabled user is enabled | user.disabled | unknowable: to enable a user is allowed and leaves nothing else behind
UPDATE user SET disabled = 0 WHERE id = {dan};

-- revoked tokens are good again | user.token_epoch | I11 dan
UPDATE user SET token_epoch = 0 WHERE id = {dan};

-- test data of an order is marked no more | user.test | I11 tess
UPDATE user SET test = 0 WHERE id = {tess};

-- a user is marked twice over | user.test | I11 nico
UPDATE user SET test = 2 WHERE id = {nico};

-- a user is marked as test data | user.test | unknowable: nothing but the mark tells what a user who never ordered was made for
UPDATE user SET test = 1 WHERE id = {nico};

-- test data that ordered may be removed | user.used | I11 of tess
UPDATE user SET used = 0 WHERE id = {tess};

-- the use of a user is noted who is no test data | user.used | I11 nico
UPDATE user SET used = 1 WHERE id = {nico};

-- a user who ordered is gone |  | I11 alice
DELETE FROM user WHERE id = {alice};

-- a user with a session is gone |  | I11 session
DELETE FROM user WHERE id = {bea};

-- all users are gone |  | I11 session
DELETE FROM user;

-- a user who did nothing is gone |  | unknowable: nothing but this row tells of a user who neither ordered nor logged in
DELETE FROM user WHERE id = {nico};

-- a session gets another id | session.id | unknowable: the id is drawn by lot, and the token that has it is not stored
UPDATE session SET id = randomblob(16);

-- a session is a guest's | session.user_id | I11 session
UPDATE session SET user_id = {alice};

-- a session is of no user | session.user_id | I11 session
UPDATE session SET user_id = {nothing};

-- a session has another token | session.token | unknowable: a hash tells of its token only to those who have it
UPDATE session SET token = randomblob(32);

-- a session was refreshed earlier | session.refreshed_at | I11 session
UPDATE session SET refreshed_at = refreshed_at - {day};

-- a session is older than its user | session.refreshed_at session.expires_at | I11 session
UPDATE session SET refreshed_at = refreshed_at - 2 * {day}, expires_at = expires_at - 2 * {day};

-- a session is refreshed in a year | session.refreshed_at session.expires_at | mended: sessions begun while the clock was ahead are shortened
UPDATE session SET refreshed_at = refreshed_at + {year}, expires_at = expires_at + {year};

-- a session lasts a year longer | session.expires_at | mended: sessions begun while the clock was ahead are shortened
UPDATE session SET expires_at = expires_at + {year};

-- a session is gone |  | unknowable: to log out is allowed and leaves nothing behind
DELETE FROM session;

-- a network is that of another user | network.user_id | unknowable: it says from where users may try, and of that nothing else is kept
UPDATE network SET user_id = {alice};

-- a network is that of no user | network.user_id | I11 nothing
UPDATE network SET user_id = {nothing};

-- an index is gone |  | refused: has no index `user_by_login`
DROP INDEX user_by_login;

-- users are changed by themselves |  | refused: has a trigger `thief` that is not its own
CREATE TRIGGER thief AFTER INSERT ON user BEGIN UPDATE user SET disabled = 1; END

-- a user logged in from elsewhere | network.prefix | unknowable: nothing else tells from where users logged in
UPDATE network SET prefix = '10.0.0.0';

-- a user logged in earlier | network.used_at | unknowable: it decides which of several networks is forgotten first
UPDATE network SET used_at = 1;

-- what was answered to a command is that of another one | answered.id | unknowable: it is there for a repeat within minutes, and tells nothing of what is stored
UPDATE answered SET id = randomblob(16);

-- another answer is kept for a command | answered.answer | unknowable: what was answered is kept nowhere else
UPDATE answered SET answer = '7';

-- the keys for access tokens are gone |  | I11 signing keys
rm keys.json;
