"""Files that staff give: read in a confined process, and cut into pieces along their headings."""
