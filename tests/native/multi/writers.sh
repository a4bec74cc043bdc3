# Two writers and a reader on one database file.
db=shared.db
sqlite3 $db 'create table t(a integer, who text); create table log(n int);'
write() {
	i=0
	while [ $i -lt 12 ]; do
		sqlite3 -cmd '.timeout 1000000' $db "begin immediate;
		    insert into t values($i, '$1');
		    update t set a = a + 1 where who = '$1';
		    insert into log select count(*) from t; commit;"
		i=$((i + 1))
	done
}
write x & write y &
i=0
while [ $i -lt 10 ]; do
	sqlite3 -cmd '.timeout 1000000' $db \
	    "select count(*) = (select count(*) from log) from t;"
	i=$((i + 1))
done
wait
sqlite3 $db 'select who, count(*), sum(a) from t group by who;
    select count(distinct n), max(n) from log; pragma integrity_check;'
rm -f $db
