#!/usr/bin/env python3
"""Writes the sample lists: the work items that failed, and the files of each.

The `sample` store takes a file's size from a part of its name (`video.64MiB.bin`, `note.empty.txt`); other sizes follow from the
path. Without arguments it writes the lists beside this script, the same on every machine. For another store, such as an emulator,
it takes the folder to write to and the address of the container:

    make.py --folder out/azurite --container http://127.0.0.1:10000/devstoreaccount1/workitems
"""

import argparse
import csv
import pathlib
import unicodedata
import urllib.parse

ITEMS = 52
FILES_PER_ITEM = 20
CONTAINER = "https://originals.blob.core.windows.net/workitems"

NAMES = [
    "report.pdf",
    "site plan.dwg",
    "Übersicht März.docx",
    "résumé final.txt",
    "100% done.csv",
    "a%20b.bin",
    "見積書.xlsx",
    "photo 🏔.jpg",
    "log.empty.txt",
    "data.1KiB.bin",
    "trace+1.json",
    "O'Brien & Söhne.eml",
    "scan #2.tiff",
    "Ελληνικά.md",
    "notes [draft].txt",
    "model.512KiB.step",
    "frame-0001.png",
    "frame-0002.png",
    "UPPER.TXT",
    "archive.tar.gz",
]


def file_names(index):
    names = list(NAMES[:FILES_PER_ITEM])
    if index == 7:
        names.append("recording.64MiB.bin")
    if index % 4 == 0:
        names.append("extra, with a comma.csv")
    return [unicodedata.normalize("NFC", name) for name in names]


def main():
    parser = argparse.ArgumentParser(description="Writes the sample lists.")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--container", default=CONTAINER)
    arguments = parser.parse_args()
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "failed_workitems.csv", "w", newline="", encoding="utf-8") as items, open(
        folder / "files.csv", "w", newline="", encoding="utf-8"
    ) as files:
        item_rows = csv.writer(items, lineterminator="\n")
        file_rows = csv.writer(files, lineterminator="\n")
        item_rows.writerow(["WorkItemId", "JobId"])
        file_rows.writerow(["WorkItemId", "Uri", "FileName"])
        for index in range(ITEMS):
            item = 1001 + index
            item_rows.writerow([item, f"job-{index // 10 + 1}"])
            for name in file_names(index):
                file_rows.writerow([item, f"{arguments.container}/{item}/{urllib.parse.quote(name)}", name])


if __name__ == "__main__":
    main()
