"""What is open and how it is shown: free of Qt, observable, the only truth."""
