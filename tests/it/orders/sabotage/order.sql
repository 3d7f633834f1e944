--- What is changed in the store of the order service: what happens | the columns | by which invariant it is
--- found, with which row in its witness. See mod.rs.

-- an order is in another place | placed.place | I11 confirmed
UPDATE placed SET place = 1 WHERE id = {confirmed};

-- an order gets another id | placed.id | I3 confirmed
UPDATE placed SET id = {nothing} WHERE id = {confirmed};

-- an order is of another user | placed.user_id | I11 keyless
UPDATE placed SET user_id = {nico} WHERE id = {keyless};

-- an order with a key is of another user | placed.user_id | I7 confirmed
UPDATE placed SET user_id = {nico} WHERE id = {confirmed};

-- an order names a user otherwise | placed.user_name | I11 keyless
UPDATE placed SET user_name = 'Mallory' WHERE id = {keyless};

-- an order is paid | placed.state | I8 confirmed
UPDATE placed SET state = 2 WHERE id = {confirmed};

-- an order has another version | placed.version | I8 confirmed
UPDATE placed SET version = version + 1 WHERE id = {confirmed};

-- an order has another total | placed.total | I9 confirmed
UPDATE placed SET total = total + 1 WHERE id = {confirmed};

-- an order has another currency | placed.currency | I9 confirmed
UPDATE placed SET currency = 'EUR' WHERE id = {confirmed};

-- a refused order has another currency | placed.currency | I9 rejected
UPDATE placed SET currency = 'EUR' WHERE id = {rejected};

-- an order is of more units | placed.items | I3 confirmed
UPDATE placed SET items = json_set(items, '$[0].quantity', 9) WHERE id = {confirmed};

-- a line of an order has another name | placed.items | I11 confirmed
UPDATE placed SET items = json_set(items, '$[0].name', 'Other') WHERE id = {confirmed};

-- a refused order has lines of two kinds | placed.items | I11 rejected
UPDATE placed SET items = (SELECT items FROM placed WHERE id = {confirmed}) WHERE id = {rejected};

-- a cancelled order is of more units | placed.items | I11 cancelled
UPDATE placed SET items = json_set(items, '$[0].quantity', 9) WHERE id = {cancelled};

-- an order of unknown products was short of others | placed.refused | I11 unknown
UPDATE placed SET refused = (SELECT refused FROM placed WHERE id = {rejected}) WHERE id = {unknown};

-- an order of mixed currencies was short of some | placed.refused | I11 mixed
UPDATE placed SET refused = (SELECT refused FROM placed WHERE id = {rejected}) WHERE id = {mixed};

-- why an order was refused cannot be read | placed.refused | unreadable
UPDATE placed SET refused = x'ff' WHERE id = {rejected};

-- the lines of an order cannot be read | placed.items | unreadable
UPDATE placed SET items = 'x' WHERE id = {confirmed};

-- a refused order has neither reason nor lines | placed.refused | I11 rejected
UPDATE placed SET refused = NULL WHERE id = {rejected};

-- a refused order has another reason | placed.refused | I11 rejected
UPDATE placed SET refused = CAST(substr(refused, 1, length(refused) - 1) || x'00' AS BLOB) WHERE id = {rejected};

-- a confirmed order has a reason of a refusal | placed.reason | I11 confirmed
UPDATE placed SET reason = '"mixedCurrencies"' WHERE id = {confirmed};

-- an order of mixed currencies has no reason | placed.refused | I11 mixed
UPDATE placed SET refused = CAST(substr(refused, 1, length(refused) - 1) || x'00' AS BLOB) WHERE id = {mixed};

-- a refused order is another one | placed.refused | unknowable: it asked for what is not there, and nothing else tells for what
UPDATE placed SET refused = (SELECT refused FROM placed WHERE id = {unknown}) WHERE id = {mixed};

-- a history goes back in time | placed.history placed.updated_at | I11 confirmed
UPDATE placed SET history = json_set(history, '$[1][1]', json_extract(history, '$[0][1]') - 1), updated_at = json_extract(history, '$[0][1]') - 1 WHERE id = {confirmed};

-- a history began earlier | placed.history | I11 confirmed
UPDATE placed SET history = json_set(history, '$[0][1]', json_extract(history, '$[0][1]') - 1) WHERE id = {confirmed};

-- a history lacks a step | placed.history | I8 delivered
UPDATE placed SET history = json_remove(history, '$[1]') WHERE id = {delivered};

-- a step was made by another request | placed.history | unknowable: requests are named in logs only, which are kept for a while
UPDATE placed SET history = json_set(history, '$[1][2]', 'another') WHERE id = {confirmed};

-- an order was made earlier | placed.created_at | I11 confirmed
UPDATE placed SET created_at = created_at - 1 WHERE id = {confirmed};

-- an order with its history is a year ahead | placed.created_at placed.updated_at placed.history | I11 confirmed
UPDATE placed SET created_at = created_at + {year}, updated_at = created_at + {year}, history = json_set(history, '$[0][1]', created_at + {year}, '$[1][1]', created_at + {year}) WHERE id = {confirmed};

-- the last step of an order is a year ahead | placed.updated_at placed.history | I11 confirmed
UPDATE placed SET updated_at = updated_at + {year}, history = json_set(history, '$[1][1]', updated_at + {year}) WHERE id = {confirmed};

-- an order was changed later | placed.updated_at | I11 confirmed
UPDATE placed SET updated_at = updated_at + 1 WHERE id = {confirmed};

-- an order has the deadline of an earlier version | placed.deadline | unknowable: earlier versions stored one, and it is never read
UPDATE placed SET deadline = deadline + {year} WHERE id = {confirmed};

-- a guest's order is a registered user's | placed.registered | I11 keyless
UPDATE placed SET registered = 1 WHERE id = {keyless};

-- a registered user's order is a guest's | placed.registered | I11 of bea
UPDATE placed SET registered = 0 WHERE id = {of bea};

-- the room for an outcome is taken | placed.room | unknowable: space, and a key that is only read to let it go
UPDATE placed SET room = x'01' WHERE id = {confirmed};

-- an order was made with a key | placed.key_print | I7 keyless
UPDATE placed SET key_print = 7 WHERE id = {keyless};

-- an order was made without its key | placed.key_print | I7 confirmed
UPDATE placed SET key_print = 0 WHERE id = {confirmed};

-- an order is gone |  | I3 keyless
DELETE FROM placed WHERE id = {keyless};

-- a refused order is gone |  | I7 rejected
DELETE FROM placed WHERE id = {rejected};

-- a cancelled order is gone |  | I11 cancelled
DELETE FROM placed WHERE id = {cancelled};

-- all orders are gone |  | I3 newest
DELETE FROM placed;

-- a key is another | keys.key | I7 confirmed
UPDATE keys SET key = 'other' WHERE order_id = {confirmed};

-- a key is another user's | keys.user_id | I7 confirmed
UPDATE keys SET user_id = {nico} WHERE order_id = {confirmed};

-- a key names another order | keys.order_id | I7 keyless
UPDATE keys SET order_id = {keyless} WHERE order_id = {confirmed};

-- a key is gone |  | I7 confirmed
DELETE FROM keys WHERE order_id = {confirmed};

-- a refused order has a reason of two kinds | placed.reason | I11 rejected
UPDATE placed SET reason = '"mixedCurrencies"' WHERE id = {rejected};

-- a refused order would let another key go | placed.room | I11 rejected
UPDATE placed SET room = CAST('other' AS BLOB) WHERE id = {rejected};

-- a refused order would let no key go | placed.room | I11 mixed
UPDATE placed SET room = NULL WHERE id = {mixed};

-- the key of a refused order is none | placed.room | I11 unknown
UPDATE placed SET room = x'ff' WHERE id = {unknown};

-- an order has no version | placed.version | I8 confirmed
UPDATE placed SET version = 0 WHERE id = {confirmed};

-- an order has neither version nor history | placed.version placed.history | I8 keyless
UPDATE placed SET version = 0, history = '[]' WHERE id = {keyless};

-- an order is registered twice over | placed.registered | I11 of bea
UPDATE placed SET registered = 2 WHERE id = {of bea};

-- an order names a user by nothing | placed.user_name | I11 keyless
UPDATE placed SET user_name = '' WHERE id = {keyless};

-- all keys are gone with their table |  | refused: has no table `keys`
DROP TABLE keys;

-- an index is gone |  | refused: has no index `refused`
DROP INDEX refused;

-- an index is another one |  | refused: has another index `unfinished`
DROP INDEX unfinished; CREATE INDEX unfinished ON placed(created_at);

-- orders are changed by themselves |  | refused: has a trigger `thief` that is not its own
CREATE TRIGGER thief AFTER INSERT ON placed BEGIN UPDATE placed SET user_name = 'Eve'; END
