--- What is changed in the store of the product service: what happens | the columns | by which invariant it is
--- found, with which row in its witness. See mod.rs.

-- a product gets another id | product.id | I11 sold
UPDATE product SET id = {nothing} WHERE id = {sold};

-- a product has another name | product.name | I11 unsold
UPDATE product SET name = 'Other' WHERE id = {unsold};

-- a product has another price | product.price | I11 unsold
UPDATE product SET price = price + 1 WHERE id = {unsold};

-- a product has another currency | product.currency | I11 unsold
UPDATE product SET currency = 'EUR' WHERE id = {unsold};

-- a product has another version | product.version | I11 sold
UPDATE product SET version = version + 1 WHERE id = {sold};

-- a product was made earlier | product.created_at | I11 unsold
UPDATE product SET created_at = created_at - 1 WHERE id = {unsold};

-- a product began with more units | product.initial product.available | I11 unsold
UPDATE product SET initial = initial + 1, available = available + 1 WHERE id = {unsold};

-- more units were added | product.restocked product.available | I11 sold
UPDATE product SET restocked = restocked + 1, available = available + 1 WHERE id = {sold};

-- fewer units are noted as added | added.units | I11 sold
UPDATE added SET units = units - 1;

-- units are noted as added to another product | added.product_id | I11 sold
UPDATE added SET product_id = {nothing};

-- no units are noted as added | | I11 sold
DELETE FROM added;

-- test data of an order is marked no more | product.test | I11 marked
UPDATE product SET test = 0 WHERE id = {marked};

-- a product is marked twice over | product.test | I11 unsold
UPDATE product SET test = 2 WHERE id = {unsold};

-- a product is marked as test data | product.test | unknowable: nothing but the mark tells what a product that was never ordered was made for
UPDATE product SET test = 1 WHERE id = {unsold};

-- test data that was ordered may be removed | product.used | I11 of tess
UPDATE product SET used = 0 WHERE id = {marked};

-- the use of a product is noted that is no test data | product.used | I11 unsold
UPDATE product SET used = 1 WHERE id = {unsold};

-- units were added that are nowhere | product.restocked | I1 sold
UPDATE product SET restocked = restocked + 1 WHERE id = {sold};

-- available units are gone | product.available | I1 unsold
UPDATE product SET available = available - 1 WHERE id = {unsold};

-- units are set aside for no one | product.available product.reserved | I2 sold
UPDATE product SET available = available - 1, reserved = reserved + 1 WHERE id = {sold};

-- units were sold to no one | product.available product.sold | I2 sold
UPDATE product SET available = available - 1, sold = sold + 1 WHERE id = {sold};

-- a product of which units were sold is gone |  | I11 sold
DELETE FROM product WHERE id = {sold};

-- a product of which nothing was sold is gone |  | I11 unsold
DELETE FROM product WHERE id = {unsold};

-- a product is gone with its versions |  | I11 sold
DELETE FROM edition WHERE product_id = {sold};

-- a version is of another product | edition.product_id | I11 unsold
UPDATE edition SET product_id = {nothing} WHERE product_id = {unsold};

-- a version has another number | edition.version | I11 unsold
UPDATE edition SET version = 7 WHERE product_id = {unsold};

-- a version had another name | edition.name | I11 confirmed
UPDATE edition SET name = 'Other' WHERE product_id = {sold} AND version = 1;

-- a version had another price | edition.price | I11 confirmed
UPDATE edition SET price = price + 1 WHERE product_id = {sold} AND version = 1;

-- a version had another currency | edition.currency | I11 sold
UPDATE edition SET currency = 'EUR' WHERE product_id = {sold} AND version = 1;

-- a version began with more units | edition.initial | I11 unsold
UPDATE edition SET initial = initial + 1 WHERE product_id = {unsold};

-- a version was made earlier | edition.at | I11 sold
UPDATE edition SET at = at - 1 WHERE product_id = {sold} AND version = 1;

-- a version is made in a year | edition.at | I11 sold
UPDATE edition SET at = at + {year} WHERE product_id = {sold} AND version = 2;

-- the first version is gone |  | I11 sold
DELETE FROM edition WHERE product_id = {sold} AND version = 1;

-- the newest version is gone |  | I11 sold
DELETE FROM edition WHERE product_id = {sold} AND version = 2;

-- units are noted as added to no product | added.product_id added.units | I11 nothing
INSERT INTO added VALUES ({nothing}, 5);

-- a product has no version, nor had its first one | product.version edition.version | I11 unsold
UPDATE product SET version = 0 WHERE id = {unsold}; UPDATE edition SET version = 0 WHERE product_id = {unsold};

-- a product had a version before its first one | edition.version | I11 sold
INSERT INTO edition SELECT product_id, 0, name, price, currency, initial, at FROM edition WHERE product_id = {sold} AND version = 1;

-- a product has no name, and never had | product.name edition.name | I11 unsold
UPDATE product SET name = ' ' WHERE id = {unsold}; UPDATE edition SET name = ' ' WHERE product_id = {unsold};

-- a product costs more than any may | product.price edition.price | I11 unsold
UPDATE product SET price = 1000000000001 WHERE id = {unsold}; UPDATE edition SET price = 1000000000001 WHERE product_id = {unsold};

-- a product costs less than nothing | product.price edition.price | unreadable
UPDATE product SET price = -1 WHERE id = {unsold}; UPDATE edition SET price = -1 WHERE product_id = {unsold};

-- an index is gone |  | refused: has no index `held_directly`
DROP INDEX held_directly;

-- units are added by themselves |  | refused: has a trigger `thief` that is not its own
CREATE TRIGGER thief AFTER UPDATE ON product BEGIN INSERT INTO added VALUES (x'00', 1); END

-- a reservation is of another order | reservation.order_id | I3 confirmed
UPDATE reservation SET order_id = {nothing} WHERE order_id = {confirmed};

-- a refused reservation is of another order | reservation.order_id | I11 rejected
UPDATE reservation SET order_id = {nothing} WHERE order_id = {rejected};

-- sold stock was given back | reservation.state | I3 confirmed
UPDATE reservation SET state = 5 WHERE order_id = {confirmed};

-- a refused reservation was cancelled | reservation.state | I11 rejected
UPDATE reservation SET state = 3 WHERE order_id = {rejected};

-- a released reservation was cancelled | reservation.state | I11 cancelled
UPDATE reservation SET state = 3 WHERE order_id = {cancelled};

-- a reserved line has another name | reservation.lines | I11 confirmed
UPDATE reservation SET lines = json_set(lines, '$[0].name', 'Other') WHERE order_id = {confirmed};

-- a line of a cancelled order has another price | reservation.lines | I11 cancelled
UPDATE reservation SET lines = json_set(lines, '$[0].unitPrice', 7) WHERE order_id = {cancelled};

-- a refused reservation was short of nothing | reservation.short | I11 rejected
UPDATE reservation SET short = NULL WHERE order_id = {rejected};

-- a refused reservation was short of less | reservation.short | I11 rejected
UPDATE reservation SET short = CAST(substr(short, 1, length(short) - 1) || x'01' AS BLOB) WHERE order_id = {rejected};

-- what was short cannot be read | reservation.short | unreadable
UPDATE reservation SET short = x'ff' WHERE order_id = {rejected};

-- what was sold was short | reservation.shortages | I11 confirmed
UPDATE reservation SET shortages = json_array(json_object('productId', '00000000-0000-0000-0000-000000000001', 'requested', 2, 'available', 1)) WHERE order_id = {confirmed};

-- what was sold has a lease | reservation.lease_ms | I11 confirmed
UPDATE reservation SET lease_ms = 30000 WHERE order_id = {confirmed};

-- a direct hold has a lease | reservation.lease_ms | I11 held
UPDATE reservation SET lease_ms = 30000 WHERE order_id = {held};

-- a direct hold is of another product | reservation.direct_product | I11 held
UPDATE reservation SET direct_product = {unsold} WHERE order_id = {held};

-- a direct hold is of no product | reservation.direct_product | I3 held
UPDATE reservation SET direct_product = NULL WHERE order_id = {held};

-- an order's reservation is a direct hold | reservation.direct_product | I11 confirmed
UPDATE reservation SET direct_product = {sold} WHERE order_id = {confirmed};

-- a reservation of sold stock is gone |  | I3 confirmed
DELETE FROM reservation WHERE order_id = {confirmed};

-- a refused reservation is gone |  | I11 rejected
DELETE FROM reservation WHERE order_id = {rejected};

-- a released reservation is gone |  | I11 cancelled
DELETE FROM reservation WHERE order_id = {cancelled};

-- a direct hold is gone |  | I2 sold
DELETE FROM reservation WHERE order_id = {held};

-- the note of the first products is gone | seeded.one | unknowable: a start mends it, and makes no products where there are some
DELETE FROM seeded;

-- what was answered to a command is that of another one | answered.id | unknowable: it is there for a repeat within minutes, and tells nothing of what is stored
UPDATE answered SET id = randomblob(16);

-- another answer is kept for a command | answered.answer | unknowable: what was answered is kept nowhere else
UPDATE answered SET answer = '7';
