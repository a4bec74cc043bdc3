cat in.txt | tr a-z A-Z | sort | uniq -c | sort -rn | head -n 20
cut -d' ' -f2 in.txt | sort | uniq -c | sort -k1,1rn -k2 | tail -n 5
cat in.txt | grep -v word7 | wc -lc
yes | head -n 1000 | wc -c
