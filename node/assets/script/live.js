// What has changed elsewhere is shown without loading the page anew.
