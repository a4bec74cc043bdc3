CREATE TABLE part(id INTEGER PRIMARY KEY, name TEXT, weight INTEGER);
CREATE TABLE supply(part INTEGER, supplier TEXT, price INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
INSERT INTO part SELECT i, printf('part-%05d-%x', i, i * 2654435761 % 4294967296),
    (i * 7919) % 1009 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 15000)
INSERT INTO supply SELECT (i * 31) % 6000 + 1, 'supplier ' || (i % 97),
    (i * 104729) % 10007 FROM n;
CREATE INDEX supply_part ON supply(part);
CREATE INDEX part_weight ON part(weight, name);
SELECT count(*), sum(price) FROM supply;
SELECT p.weight, count(*), min(s.price), max(s.price), avg(s.price)
FROM part p JOIN supply s ON s.part = p.id
GROUP BY p.weight ORDER BY p.weight LIMIT 200;
SELECT name, total FROM (SELECT p.name, sum(s.price) total FROM part p
    JOIN supply s ON s.part = p.id GROUP BY p.id) ORDER BY total DESC, name
LIMIT 100;
UPDATE part SET weight = weight + 1 WHERE id % 3 = 0;
DELETE FROM supply WHERE price < 500;
SELECT sum(weight) FROM part;
SELECT supplier, count(*) FROM supply GROUP BY supplier ORDER BY 2 DESC, 1;
PRAGMA integrity_check;
