import json
import re

# dict, sort, json and re over some tens of thousands of objects
rows = {}
x = 12345
for i in range(12000):
    x = (x * 1103515245 + 12345) % 2147483648
    key = "key-%08x" % x
    rows[key] = {"id": i, "value": x % 9973, "tags": [key[-2:], str(i % 13)],
                 "text": "line %d of %s" % (i, key)}
order = sorted(rows.items(), key=lambda kv: (kv[1]["value"], kv[0]))
dump = json.dumps(dict(order[:6000]), sort_keys=True)
back = json.loads(dump)
print(len(dump), len(back), sum(r["value"] for r in back.values()))
pat = re.compile(r'"text": "line (\d+) of key-([0-9a-f]+)"')
hits = pat.findall(dump)
print(len(hits), sum(int(a) for a, _ in hits), max(b for _, b in hits))
for k, r in order[::400]:
    print(k, r["id"], r["value"], r["tags"])
