# What the tables of the measuring scripts share: jq -L bench 'include "median"; ...'.
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2] + .[length / 2 - 1]) / 2 end;
def places($n): if . == null then "-" else . * pow(10; $n) | round / pow(10; $n) end;
def row: "| " + (map(tostring) | join(" | ")) + " |";
